"""Types of settings: what a value must look like, and the words that refuse another."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
)

from process.standard_webhooks import secret_key
from providers.registry import PROVIDERS
from schemas.names import Provider


def _no_path(url: str) -> str:
    parts = urlsplit(url)
    try:
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None:
        raise ValueError("is not an http or https address with a host; write it as https://example.com")
    if parts.path.rstrip("/") or parts.query or parts.fragment:
        raise ValueError("must have no path; the documented paths are appended: write it as https://example.com")
    return url.rstrip("/")


def _amqp(url: SecretStr) -> SecretStr:
    for position, address in enumerate(url.get_secret_value().split(","), start=1):
        parts = urlsplit(address.strip())
        if parts.scheme not in {"amqp", "amqps"} or not parts.hostname:
            which = f" (address {position})" if position > 1 else ""
            raise ValueError(f"is not an AMQP address{which}; write it as amqp://user:password@host:5672/vhost")
    return url


def _prefixes(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    if any(prefix.startswith("video.") for prefix in prefixes):
        raise ValueError(
            "allows replies into queues of reelbus itself; choose a prefix that does not begin with video."
        )
    return prefixes


def _uri_reference(source: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9/:._~%@!$&'()*+,;=?#-]{1,200}", source):
        raise ValueError(
            "is not a URI reference of at most 200 characters; write it as /reelbus or https://example.com/reelbus"
        )
    return source


def _database(url: str) -> str:
    if re.fullmatch(r"postgres(ql)?://[^/?]+/[^/?]+(\?.*)?", url):
        return url
    if not url.startswith("sqlite:///") or len(url) == len("sqlite:///"):
        raise ValueError(
            "is not a database address; write it as sqlite:///reelbus.db or postgresql://user:password@host/database"
        )
    return url


def _or_auto(text: object) -> object:
    return None if text == "auto" else text


def _place_of_copies(url: str) -> str:
    if not re.fullmatch(r"file:///.+|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()/-]+)?/?", url):
        raise ValueError("is no place for copies; write it as file:///var/lib/reelbus/clips or s3://bucket/prefix")
    return url


def _secrets(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if any(len(secret.get_secret_value()) < 16 for secret in secrets):
        raise ValueError("has a secret shorter than 16 characters; use at least 16 random ones")
    return secrets


def _signing_secrets(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for secret in secrets:
        secret_key(secret.get_secret_value())
    return secrets


def _one_line(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().isprintable() or secret.get_secret_value() != secret.get_secret_value().strip():
        raise ValueError("has a line break, a space at an end or a control character; paste the value alone")
    return secret


def _one_line_text(text: str) -> str:
    _one_line(SecretStr(text))
    return text


def _list(text: object) -> object:
    if not isinstance(text, str):
        return text
    return tuple(filter(None, map(str.strip, text.split(","))))


def _providers(names: object) -> object:
    chosen = _list(names)
    if isinstance(chosen, tuple) and not set(chosen) <= PROVIDERS.keys():
        raise ValueError(f"names something unknown; choose from {', '.join(PROVIDERS)}")
    if isinstance(chosen, tuple) and len(set(chosen)) < len(chosen):
        raise ValueError("names a provider twice; name each once, in the order of preference")
    return chosen


Credential = Annotated[SecretStr, AfterValidator(_one_line)]
"""A secret that goes into a request as it is."""

OptionText = Annotated[str, Field(max_length=500), AfterValidator(_one_line_text)]
"""A choice of the operator's that goes into a request as it is."""

Seconds = Annotated[float, Field(gt=0, le=10_000_000, allow_inf_nan=False)]
BaseUrl = Annotated[str, AfterValidator(_no_path)]
Port = Annotated[int, Field(ge=1, le=65535)]
Rate = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
Grace = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)]

OneLine = Annotated[str, AfterValidator(_one_line_text)]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
AmqpUrls = Annotated[SecretStr, AfterValidator(_amqp)]
"""One address or more, parted by commas; they may hold a password."""

Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_list), AfterValidator(_secrets)]
SigningSecrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_list), AfterValidator(_signing_secrets)]
Providers = Annotated[tuple[Provider, ...], BeforeValidator(_providers)]
QueuePrefixes = Annotated[tuple[str, ...], BeforeValidator(_list), AfterValidator(_prefixes)]
UriReference = Annotated[str, AfterValidator(_uri_reference)]

OrAuto = Annotated[bool | None, BeforeValidator(_or_auto)]
"""True, false, or None where the service shall choose: `auto`."""

PlaceOfCopies = Annotated[str, AfterValidator(_place_of_copies)]
