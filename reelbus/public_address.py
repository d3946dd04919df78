"""Ask our public address, as a provider would, whether it leads to this very service."""

import asyncio

import httpx
import structlog
from uuid_utils.compat import uuid7

from process import metrics
from process.addresses import Addresses
from process.repeating import repeat
from process.settings import Settings
from process.tokens import Signer
from providers.registry import PROVIDERS
from schemas.status import Reachable

_TIMEOUT_SECONDS = 5.0
_EVERY_SECONDS = 5.0
_AGAIN_SECONDS = 1.0
_LONGEST_ANSWER = 1024
_EXPOSE = "let your proxy pass /webhooks and /media of it to a receiver (REELBUS_SURFACE=public)"

_START = "start a receiver; if one runs, look at DNS, TLS and the proxy in between"

_log = structlog.get_logger(__name__)


def question(settings: Settings, signer: Signer) -> str:
    """Make a webhook address that only a receiver with our secret knows; it belongs to no attempt."""
    calling = next(name for name, each in PROVIDERS.items() if each.calls_back)
    return Addresses(settings.base_url, signer, media_ttl=settings.media_ttl).webhook(calling, uuid7().hex)


async def leads_back(settings: Settings, signer: Signer) -> tuple[str, str, str]:
    """Send the real request (GET, which has no effect). Give verdict, detail and mend for the doctor.

    Nothing that answers is a warning: perhaps no receiver was started yet. Another's answer is a failure.
    """
    async with _client() as http:
        return await _asked(http, settings, signer)


class PublicAddress:
    """Asks the public address every few seconds whether it still leads back to this service.

    `state` is None until it did once: behind many routers no request of ours ever comes back, and that says nothing of
    a provider's. What did lead back and, asked twice in a row, does not any more is lost.
    """

    def __init__(self, settings: Settings, signer: Signer) -> None:
        self.state: Reachable | None = None
        self._settings = settings
        self._signer = signer

    async def watch(self, stop: asyncio.Event) -> None:
        """Ask until told to stop; a question under way may be cancelled."""
        async with _client() as http:

            async def look_at_public_address() -> int:
                await self.look(http)
                return 0

            await repeat(look_at_public_address, stop, every=_EVERY_SECONDS)

    async def look(self, http: httpx.AsyncClient) -> None:
        """Ask once, and once more where it does not lead back; note what is new."""
        verdict, detail, _ = await _asked(http, self._settings, self._signer)
        if verdict != "ok" and self.state is not None:
            await asyncio.sleep(_AGAIN_SECONDS)
            verdict, detail, _ = await _asked(http, self._settings, self._signer)
        if verdict == "ok":
            self._note(Reachable(ready=True, fault=None))
        elif self.state is not None:
            self._note(Reachable(ready=False, fault=detail))

    def _note(self, found: Reachable) -> None:
        was_lost = self.state is not None and not self.state.ready
        if was_lost and found.ready:
            _log.info("public address leads back again")
        elif not (was_lost or found.ready):
            _log.warning("public address lost", reason=found.fault, mend=_EXPOSE)
        metrics.public_address_lost.set(int(not found.ready))
        self.state = found


def _client() -> httpx.AsyncClient:
    """Build one whose every request opens a connection of its own: an old one may outlive the way to us."""
    limits = httpx.Limits(max_keepalive_connections=0)
    plain = {"accept-encoding": "identity"}
    return httpx.AsyncClient(headers=plain, timeout=_TIMEOUT_SECONDS, limits=limits, trust_env=False)


async def _asked(http: httpx.AsyncClient, settings: Settings, signer: Signer) -> tuple[str, str, str]:
    base = settings.base_url
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS), http.stream("GET", question(settings, signer)) as answer:
            body = await _beginning(answer)
    except TimeoutError:
        return "warn", f"nothing answers at {base} within {_TIMEOUT_SECONDS:g} s", _START
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return "warn", f"nothing answers at {base}: {str(error) or type(error).__name__}", _START
    if answer.status_code == 200 and body == b"{}":
        return "ok", f"{base} leads to this service", ""
    if answer.is_redirect:
        return "fail", f"{base} answers with a redirect, which providers do not follow", "set the address behind it"
    detail = f"{base} answers {answer.status_code}, but not as a receiver with our webhook secret does"
    return "fail", detail, f"check REELBUS_PUBLIC_URL and REELBUS_WEBHOOK_SECRETS; {_EXPOSE}"


async def _beginning(answer: httpx.Response) -> bytes:
    """Read as much of an answer as ours would be long, whatever a stranger sends."""
    body = b""
    async for piece in answer.aiter_raw():
        body += piece
        if len(body) > _LONGEST_ANSWER:
            break
    return body
