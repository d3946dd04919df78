"""Say that providers are given an address which only this machine can reach."""

from urllib.parse import urlsplit

from process.settings import Settings
from providers.registry import PROVIDERS
from receiver.local import is_loopback


def public_address_fault(settings: Settings) -> tuple[str, str] | None:
    """Say whether a provider is given an address that it cannot reach, and the mend."""
    host = urlsplit(settings.base_url).hostname or ""
    calling = [PROVIDERS[name] for name in settings.enabled_providers if PROVIDERS[name].calls_back]
    outside = [
        each.label for each in calling if not is_loopback(urlsplit(settings.given(each.name).url).hostname or "")
    ]
    if not outside or not is_loopback(host):
        return None
    return (
        f"{settings.base_url} is on this machine only, so {' and '.join(outside)} can neither fetch uploaded pictures"
        " nor call back",
        "set REELBUS_PUBLIC_URL to an address that reaches us from the internet; until then uploads fail there, and"
        " may be paid for",
    )
