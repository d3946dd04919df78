"""Keyless mode: without API keys only programs on this machine are served.

Not other people's web pages (cross-site requests, DNS rebinding), and nobody behind a reverse proxy or a tunnel.
"""

import re
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from schemas.problem import ProblemCode, Refusal

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::[0-9]{1,5})?")
_FORWARDING = frozenset({"forwarded", "via", "x-real-ip"})


def refuse_others(headers: Headers) -> None:
    """Raise `Refusal` unless a program on this machine asks, under a loopback name."""
    for name in headers:
        if name in _FORWARDING or name.startswith("x-forwarded-"):
            raise Refusal(
                ProblemCode.FORBIDDEN,
                f"the request was forwarded ({name[:50]}), and without API keys nobody is served through a proxy;"
                " set REELBUS_API_KEYS",
            )
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"} or not _is_local_origin(headers):
        raise Refusal(
            ProblemCode.UNAUTHORIZED, "another web site may not call this one; set REELBUS_API_KEYS to allow it"
        )
    if not _names_this_machine(headers.get("host", "localhost")):
        raise Refusal(
            ProblemCode.UNAUTHORIZED,
            "without API keys only this machine is served, under its loopback address; set REELBUS_API_KEYS",
        )


def is_loopback(host: str) -> bool:
    """Say whether a host, as in `REELBUS_HOST`, can be reached from this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _is_local_origin(headers: Headers) -> bool:
    """Read `Origin`, which browsers send that know nothing of `Sec-Fetch-Site`."""
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and _names_this_machine(parts.netloc)


@lru_cache(maxsize=64)
def _names_this_machine(host: str) -> bool:
    read = _HOST.fullmatch(host)
    if read is None:
        return False
    name = read[1].lower().rstrip(".")
    return name in {"localhost", "localhost.localdomain"} or is_loopback(name)
