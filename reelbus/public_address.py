"""Ask our public address, as a provider would, whether it leads to this very service."""

import httpx
from uuid_utils.compat import uuid7

from process.addresses import Addresses
from process.settings import Settings
from process.tokens import Signer
from providers.registry import PROVIDERS

_TIMEOUT_SECONDS = 10.0
_EXPOSE = "let your proxy pass /webhooks and /media of it to a receiver (REELBUS_SURFACE=public)"


def question(settings: Settings, signer: Signer) -> str:
    """Make a webhook address that only a receiver with our secret knows; it belongs to no attempt."""
    calling = next(name for name, each in PROVIDERS.items() if each.calls_back)
    return Addresses(settings.base_url, signer, media_ttl=settings.media_ttl).webhook(calling, uuid7().hex)


async def leads_back(settings: Settings, signer: Signer) -> tuple[str, str, str]:
    """Send the real request (GET, which has no effect). Give verdict, detail and mend for the doctor.

    Nothing that answers is a warning: perhaps no receiver was started yet. Another's answer is a failure.
    """
    base = settings.base_url
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as http:
            answer = await http.get(question(settings, signer))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        detail = f"nothing answers at {base}: {str(error) or type(error).__name__}"
        return "warn", detail, "start a receiver; if one runs, look at DNS, TLS and the proxy in between"
    if answer.status_code == 200 and answer.content == b"{}":
        return "ok", f"{base} leads to this service", ""
    if answer.is_redirect:
        return "fail", f"{base} answers with a redirect, which providers do not follow", "set the address behind it"
    detail = f"{base} answers {answer.status_code}, but not as a receiver with our webhook secret does"
    return "fail", detail, f"check REELBUS_PUBLIC_URL and REELBUS_WEBHOOK_SECRETS; {_EXPOSE}"
