"""Receive webhooks. The body is not believed and not read here: it is kept, and a check falls due."""

import asyncio
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from intake.context import Context
from jobs import interest, unconfirmed
from process import failpoints, metrics, tracing
from process.tracing import SpanKind
from providers.registry import PROVIDERS
from receiver import problems
from receiver.bodies import read_capped_body
from receiver.inbox import Inbox
from receiver.plain_http import BODY_CAME
from receiver.refused_webhooks import RefusedWebhookNotes
from schemas.problem import ProblemCode, Refusal
from schemas.trace import NO_TRACE, Trace
from store import traces
from store.webhooks import Delivery

_log = structlog.get_logger(__name__)

PREFIX = "/webhooks/"
ROUTE = PREFIX + "{provider}/{token}"

_KEPT_BODIES = 10
"""Of one attempt in one window; further deliveries are recorded without their bodies, and in groups."""

_WINDOW_SECONDS = 60.0
_MANY_ATTEMPTS = 20_000
_GROUP_SECONDS = 0.05

_TYPE = "content-type"
_LONGEST_HEADER = 1000

_RECORDED = Response(b"{}", media_type="application/json")


class Webhooks:
    """The webhook endpoint, as a bare ASGI application: nothing else here must be as quick."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._inbox = Inbox(context)
        self._attempt_of = context.signer.attempt_of
        self._refused = RefusedWebhookNotes(context)
        self._received = {
            str(name): metrics.webhooks_received.labels(name) for name, each in PROVIDERS.items() if each.calls_back
        }
        self._headers = {str(name): frozenset({_TYPE, *each.webhook_headers}) for name, each in PROVIDERS.items()}
        self._deliveries: dict[str, int] = {}
        self._window_ends = 0.0
        self._ended: set[str] = set()
        self._groups: dict[str, asyncio.Task[None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record a delivery, then say so."""
        provider, _, token = scope["path"][len(PREFIX) :].partition("/")
        attempt_id = self._attempt_of(token) if provider in self._received else None
        if attempt_id is None or not await self._is_awaited(attempt_id):
            metrics.webhooks_refused.inc()
            self._refused.note(scope, provider=provider, reason=self._why(provider, attempt_id))
            await problems.not_found()(scope, receive, send)
        elif scope["method"] in {"POST", "PUT"}:
            with await self._span(provider, attempt_id):
                await self._record(provider, attempt_id, scope, receive)
            self._received[provider].inc()
            await _RECORDED(scope, receive, send)
        elif scope["method"] in {"GET", "HEAD"}:
            await _RECORDED(scope, receive, send)
        else:
            await problems.method_not_allowed("POST, PUT, GET, HEAD")(scope, receive, send)

    async def _span(self, provider: str, attempt_id: str) -> AbstractContextManager[Trace]:
        """Make a span of the video's own trace: the provider was given none that it could send."""
        if not tracing.is_on():
            return nullcontext(NO_TRACE)
        trace = await self._context.store.read(traces.of_attempt, attempt_id)
        return tracing.span(f"webhook {provider}", trace, SpanKind.SERVER, reelbus_provider=provider)

    def _why(self, provider: str, attempt_id: str | None) -> str:
        if provider not in self._received:
            return "no provider that calls back has this name"
        return "its token is not ours" if attempt_id is None else "nobody waits for its attempt any more"

    async def _is_awaited(self, attempt_id: str) -> bool:
        """Say whether an attempt's address is still good: it ends with the last interest in the attempt."""
        now = self._context.now()
        if interest.is_young(attempt_id, now=now):
            return True
        if attempt_id in self._ended:
            return False
        if await self._context.store.read(interest.is_awaited, attempt_id, now=now):
            return True
        if len(self._ended) >= _MANY_ATTEMPTS:
            self._ended.clear()
        self._ended.add(attempt_id)
        return False

    async def _record(self, provider: str, attempt_id: str, scope: Scope, receive: Receive) -> None:
        limits = self._context.limits
        body, size, stalled = await read_capped_body(
            receive,
            keep=unconfirmed.LARGEST_KEPT_BODY,
            limit=self._context.settings.max_body_bytes,
            stall=None if BODY_CAME in scope else limits.body_stall,
        )
        if self._is_flood(attempt_id):
            await self._record_in_group(attempt_id, size)
        else:
            headers = _kept_headers(self._headers[provider], scope)
            await self._inbox.record(Delivery(attempt_id, body, size, headers.pop(_TYPE, None), headers))
            _log.info("webhook received", provider=provider, attempt_id=attempt_id, bytes=size)
        await failpoints.failpoint("webhook recorded")
        if stalled:
            detail = f"the body stalled for {limits.body_stall:g} s; the delivery was recorded without it"
            raise Refusal(ProblemCode.REQUEST_TIMEOUT, detail)

    def _is_flood(self, attempt_id: str) -> bool:
        now = self._context.now()
        # An end that lies further ahead than a window is long was set before the clock was put back.
        if not now < self._window_ends <= now + _WINDOW_SECONDS or len(self._deliveries) > _MANY_ATTEMPTS:
            self._deliveries.clear()
            self._window_ends = now + _WINDOW_SECONDS
        count = self._deliveries.get(attempt_id, 0) + 1
        self._deliveries[attempt_id] = count
        return count > _KEPT_BODIES

    async def _record_in_group(self, attempt_id: str, size: int) -> None:
        """Wait for the one record that stands for all deliveries of an attempt in a short while."""
        group = self._groups.get(attempt_id)
        if group is None:
            group = asyncio.create_task(self._write_group(attempt_id, size))
            self._groups[attempt_id] = group
        await asyncio.shield(group)

    async def _write_group(self, attempt_id: str, size: int) -> None:
        await asyncio.sleep(_GROUP_SECONDS)
        del self._groups[attempt_id]  # a delivery that comes from now on may be news that this record misses
        await self._inbox.record(Delivery(attempt_id, None, size, None))


def _kept_headers(wanted: Collection[str], scope: Scope) -> dict[str, str]:
    """Give the content type and what a signature needs; of a header that came twice the first."""
    kept: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = str(name, "latin-1")
        if key in wanted:
            kept.setdefault(key, str(value[:_LONGEST_HEADER], "latin-1"))
    return kept
