"""Which web addresses we take and hand on: syntax and publicness, without asking any name server.

This is the first half of the defence against SSRF. A name can still resolve to a private address, or to another one
each time (DNS rebinding), so whoever connects must check the resolved address again with `is_public`. Sources: RFC
3986, RFC 6890 with IANA's special-purpose registries, and the way in which `inet_aton` and browsers read numbers as
addresses.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from itertools import product

MAX_URL_CHARACTERS = 2048

_V6_UNICAST = IPv6Network("2000::/3")
_V6_SPECIAL = tuple(IPv6Network(n) for n in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
# `is_global` says yes to these: protocol assignments, the retired 6to4 relay, Azure's host agent.
_V4_SPECIAL = tuple(IPv4Network(n) for n in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"))

_PRIVATE_NAMES = frozenset({"ip6-localhost", "ip6-loopback", "metadata.tencentyun.com"})
_PRIVATE_ENDING = re.compile(r"\.(?:localhost|localdomain|local|internal|intranet|private|corp|home|lan|home\.arpa)\Z")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_START = re.compile(r"(https?)://([^/?#]*)", re.IGNORECASE)
_VISIBLE_ASCII = re.compile("[!-~]*")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"})
_REMEMBERED = 1024
"""Hosts of which the finding is remembered: a caller's pictures lie on few."""

_NEVER_RAW = frozenset('\\<>"`')

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class _Parts:
    host: str
    address: IPv6Address | None


class _Fault(ValueError):
    """What is wrong with an address, as a sentence for whoever sent it."""


def is_public(address: Address) -> bool:
    """Say whether an address belongs to the open internet.

    Stricter than `is_global`: forms of IPv6 that carry an IPv4 address inside count as not public, whatever
    they carry.
    """
    if isinstance(address, IPv6Address):
        plain = address.scope_id is None and address in _V6_UNICAST
        return plain and address.is_global and not any(address in network for network in _V6_SPECIAL)
    ordinary = address.is_global and not address.is_multicast and not address.is_reserved
    return ordinary and not any(address in network for network in _V4_SPECIAL)


def image_url_fault(url: str, *, allow_private: bool) -> str | None:
    """Name what is wrong with a picture's address in one sentence, or None if nothing is.

    `allow_private` lifts the rule that the host must be public, and no other.
    """
    try:
        parts = _split(url)
        if not allow_private:
            _insist_on_public(parts)
    except _Fault as fault:
        return str(fault)
    return None


def output_url_usable(url: str, *, allow_private: bool = False) -> bool:
    """Say whether a video's address can be handed on: http(s), with a public host, without credentials.

    `allow_private` lifts the rule that the host must be public, and no other.
    """
    try:
        parts = _split(url)
        if not allow_private:
            _insist_on_public(parts)
    except _Fault:
        return False
    return True


def _split(url: str) -> _Parts:
    if len(url) > MAX_URL_CHARACTERS:
        raise _Fault(f"must have at most {MAX_URL_CHARACTERS} characters, this has {len(url)}")
    if not _VISIBLE_ASCII.fullmatch(url) and any(unicodedata.category(character) in _UNSEEN for character in url):
        raise _Fault("must not contain spaces, control characters or invisible characters")
    if not _NEVER_RAW.isdisjoint(url):
        raise _Fault("must not contain a backslash, a quote, a backtick or angle brackets")
    start = _START.match(url)
    if start is None:
        raise _Fault("must be an address that begins with http:// or https://")
    authority = start[2]
    if "@" in authority:
        raise _Fault("must not contain a user name or a password")
    if authority.startswith("["):
        return _bracketed(authority)
    host, _, port = authority.partition(":")
    _check_port(port)
    return _Parts(_plain_host(host), None)


def _bracketed(authority: str) -> _Parts:
    literal, closed, rest = authority[1:].partition("]")
    try:
        address = IPv6Address(literal)
    except ValueError as error:
        raise _Fault("has brackets around something that is no IPv6 address") from error
    if not closed or (rest and not rest.startswith(":")):
        raise _Fault("has something other than a port after its IPv6 address")
    if address.scope_id is not None:
        raise _Fault("must not name a network zone in its IPv6 address")
    _check_port(rest[1:])
    return _Parts(literal, address)


def _check_port(port: str) -> None:
    if port and not (re.fullmatch(r"[0-9]{1,5}", port) and 1 <= int(port) <= 65535):
        raise _Fault("must have a port between 1 and 65535, or none")


@lru_cache(_REMEMBERED)
def _plain_host(written: str) -> str:
    """Bring a host name to the form in which every resolver would read it: lower-case ASCII, no final dot."""
    if not written:
        raise _Fault("must name a host")
    if "%" in written:
        raise _Fault("must not have percent signs in its host name")
    if len(written) > 254:
        raise _Fault("has a host name longer than 253 characters")
    host = unicodedata.normalize("NFKC", written).replace("\u3002", ".").lower()
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii").lower()
        except UnicodeError as error:
            raise _Fault("has a host name that cannot be written in the domain name system") from error
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _Fault("has a host name that cannot be written in the domain name system")
    if _NUMBER.fullmatch(labels[-1]) and not any(_readings(labels)):
        raise _Fault("has a host that looks like an IP address and is none")
    return host


@lru_cache(_REMEMBERED)
def _insist_on_public(parts: _Parts) -> None:
    addresses: list[Address] = [parts.address] if parts.address else list(_readings(parts.host.split(".")))
    if any(not is_public(address) for address in addresses):
        raise _Fault("must be public: its address is a private, local or reserved one")
    if not addresses and _is_private_name(parts.host):
        raise _Fault("must be public: its host name belongs to a private or local network")


def _is_private_name(host: str) -> bool:
    if "." not in host or host in _PRIVATE_NAMES:
        return True
    return _PRIVATE_ENDING.search(host) is not None


def _readings(labels: list[str]) -> Iterator[Address]:
    """Yield every IPv4 address that some program would read in these labels.

    Programs differ over a leading zero: some take it for octal, some ignore it. None at all means that this
    is a name, or no valid host.
    """
    if len(labels) > 4 or not all(_NUMBER.fullmatch(label) for label in labels):
        return
    for numbers in product(*[_numbers(label) for label in labels]):
        *front, last = numbers
        if all(number < 256 for number in front) and last < 256 ** (4 - len(front)):
            packed = last + sum(number << (24 - 8 * place) for place, number in enumerate(front))
            yield ip_address(packed)


def _numbers(label: str) -> set[int]:
    if len(label) > 16:
        return set()
    if label.startswith("0x"):
        return {int(label[2:] or "0", 16)}
    octal = {int(label, 8)} if label.startswith("0") and not set(label) & {"8", "9"} else set()
    return octal | {int(label)}
