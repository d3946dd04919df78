"""Keep the newest refused webhook requests, at a bounded rate: whoever guesses tokens fills no disk."""

import asyncio

import structlog
from starlette.types import Scope

from intake.context import Context
from store import refused_webhooks

_NOTED_A_MINUTE = 30
_LONGEST_NAME = 40

_log = structlog.get_logger(__name__)


class RefusedWebhookNotes:
    """Writes refused requests into the store, in the background."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._noted: list[float] = []
        self._notes: set[asyncio.Future[None]] = set()

    def note(self, scope: Scope, *, provider: str, reason: str) -> None:
        """Note a request, unless many were noted within the last minute; its token is kept nowhere."""
        now = self._context.now()
        self._noted = [at for at in self._noted if now - 60 < at <= now]
        if len(self._noted) >= _NOTED_A_MINUTE:
            return
        self._noted.append(now)
        peer = (scope.get("client") or ("unknown", 0))[0]
        named = "".join(letter for letter in provider[:_LONGEST_NAME] if letter.isprintable())
        noting = asyncio.ensure_future(
            self._context.store.write_small(refused_webhooks.add, provider=named, peer=peer, reason=reason, now=now)
        )
        self._notes.add(noting)
        noting.add_done_callback(self._end)

    def _end(self, noting: asyncio.Future[None]) -> None:
        self._notes.discard(noting)
        if not noting.cancelled() and (error := noting.exception()) is not None:
            _log.warning("a refused webhook could not be noted", reason=str(error))
