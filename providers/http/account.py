"""Where a provider is reached, and with what credentials."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Self

import certifi
from yarl import URL

from providers.capabilities import Capabilities, Given


@dataclass(frozen=True, slots=True)
class Account:
    """One provider's address and credentials, with the names by which our messages call them.

    `timeout` is in seconds and covers one whole request, from connecting to the last byte. `secrets` never
    leave this room: whatever text a provider sends is cleared of them.
    """

    label: str
    base_url: str
    url_setting: str
    key_setting: str
    timeout: float
    credentials: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    allow_private_outputs: bool = False
    """Whether videos may lie on hosts that are not public (development only)."""

    @classmethod
    def of(
        cls, record: Capabilities, given: Given, headers: Mapping[str, str], *, more_secrets: tuple[str, ...] = ()
    ) -> Self:
        """Make the account that an operator gave for a provider; the key, in `headers`, is its first credential."""
        key = record.credentials[0].name
        return cls(
            label=record.label,
            base_url=given.url,
            url_setting=record.variable("url"),
            key_setting=record.variable(key),
            timeout=given.timeout,
            allow_private_outputs=given.allow_private_outputs,
            credentials=headers,
            secrets=(given.credentials[key], *more_secrets),
        )

    def __post_init__(self) -> None:
        """Raise ValueError, naming the setting, for a credential that no header can carry."""
        for value in self.credentials.values():
            if not (value.isascii() and value.isprintable()):
                raise ValueError(f"{self.key_setting} must be printable ASCII without line breaks")

    @property
    def headers(self) -> dict[str, str]:
        """What every request to the provider carries."""
        return {
            **self.credentials,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "reelbus",
        }

    def url(self, path: str) -> URL:
        """Write the whole address of one of the provider's paths, percent-encoded already.

        Raises ValueError for a base address that cannot be read.
        """
        return URL(self.base_url).join(URL(path, encoded=True))

    def path_of(self, address: object) -> str | None:
        """Give path and query of an address that the provider gave; None unless it is of its own scheme and host."""
        if not isinstance(address, str) or len(address) > 2048:
            return None
        try:
            found, base = URL(address, encoded=True), URL(self.base_url)
        except ValueError:
            return None
        return found.raw_path_qs if found.host and found.origin() == base.origin() else None


def tls_context(url: str) -> ssl.SSLContext:
    """Give the TLS settings for an address; for a plain one a context that trusts nobody, as it is unused."""
    return _trusting() if url.lower().startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def _trusting() -> ssl.SSLContext:
    # Built once, for it takes tens of milliseconds: Mozilla's authorities and the machine's own.
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    context.set_alpn_protocols(["http/1.1"])
    return context
