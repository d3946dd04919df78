"""Middleware, what every request passes: load shedding (back-pressure), API keys, rates, problem documents."""

import re
from collections.abc import Awaitable, Callable
from functools import cache, partial
from secrets import token_hex
from time import perf_counter

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from intake.context import Context
from process import metrics
from process.line_limit import LineLimit, unlogged_before
from receiver import problems
from receiver.guard import Guard
from receiver.webhooks import PREFIX, ROUTE, Webhooks
from schemas.problem import ProblemCode, Refusal
from store.database import StoreUnavailable

_log = structlog.get_logger()

_PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_HEALTH = frozenset({"/healthz", "/readyz"})
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SLOW_SECONDS = 5.0
_WARN_SECONDS = 1.0

# Made once: load shedding must cost next to nothing.
_OVERLOADED = problems.answer(
    Refusal(ProblemCode.OVERLOADED, "too many requests are being served; try again", retry_after=1)
)


class RequestMiddleware:
    """Lets requests through to the webhooks, which need to be quick, or to the application behind."""

    def __init__(self, context: Context, webhooks: Webhooks | None, guard: Guard | None, app: ASGIApp) -> None:
        """Take what serves; without a `guard` nothing is served that needs one, and no key is ever looked at."""
        self._context = context
        self._guard = guard
        self._webhooks = webhooks
        self._app = app
        self._lines = LineLimit()
        self._in_flight = 0
        self._warned_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not self._has_capacity(scope["path"]):
            await self._reject_overloaded(scope, receive, send)
            return
        answer = _ResponseRecorder(send)
        started = perf_counter()
        self._in_flight += 1
        request_id = _request_id(scope)
        answer.headers = {"x-request-id": request_id}
        bound = bind_contextvars(request_id=request_id)
        try:
            await self._serve(scope, receive, answer)
        except ClientDisconnect:
            answer.status = 499
        except StoreUnavailable as error:
            _log.error("store unavailable", reason=str(error))
            await answer.refuse(scope, receive, problems.store_unavailable())
        except Refusal as refusal:
            await answer.refuse(scope, receive, refusal)
        except Exception:
            _log.exception("request failed", route=_route(scope))
            if answer.status:
                raise  # uvicorn cuts the connection, so that half an answer is not taken for a whole one
            await problems.internal()(scope, receive, answer)
        finally:
            self._in_flight -= 1
            self._record(scope, answer.status, perf_counter() - started)
            reset_contextvars(**bound)

    def _has_capacity(self, path: str) -> bool:
        limits = self._context.limits
        if self._in_flight < limits.requests:
            return True
        return path in _HEALTH or (path.startswith(PREFIX) and self._in_flight < limits.webhooks)

    async def _reject_overloaded(self, scope: Scope, receive: Receive, send: Send) -> None:
        _count(("unknown", scope["method"], 503))
        now = perf_counter()
        if now - self._warned_at >= _WARN_SECONDS:
            self._warned_at = now
            _log.warning("overloaded", requests=self._in_flight)
        await _OVERLOADED(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, answer: "_ResponseRecorder") -> None:
        path: str = scope["path"]
        if self._webhooks is not None and path.startswith(PREFIX):
            scope["reelbus.route"] = ROUTE
            await self._webhooks(scope, receive, answer)
            return
        if self._guard is not None:
            if path.startswith("/v1"):
                answer.headers |= _PRIVATE
            await self._guard.admit(scope, answer.headers)
            scope["reelbus.still_admitted"] = partial(self._guard.still_admits, scope)
            if path == "/v1/events":
                answer.may_go_on = scope["reelbus.still_admitted"]
        await self._app(scope, receive, answer)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        key = (_route(scope), scope["method"], status)
        _count(key)
        if status:
            _seconds(key[0]).observe(seconds)
        if status < 400 and seconds < _SLOW_SECONDS:
            return
        caller: str | None = scope.get("reelbus.caller")
        unlogged = self._lines.allowance(caller) if 400 <= status < 500 else 0
        if unlogged is None:
            return
        tell = _log.warning if status >= 500 else _log.info
        facts = {"route": key[0], "method": key[1], "status": status, "seconds": round(seconds, 3), "caller": caller}
        tell("request answered", **facts, **unlogged_before(unlogged))


class _ResponseRecorder:
    """Passes an answer on, remembering its status and adding headers; a stream ends when it `may_go_on` no more."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.headers: dict[str, str] = {}
        self.may_go_on: Callable[[], Awaitable[bool]] | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.headers:
                MutableHeaders(scope=message).update(self.headers)
        elif self.may_go_on is not None and not await self.may_go_on():
            await self._send({"type": "http.response.body"})
            raise ClientDisconnect
        await self._send(message)

    async def refuse(self, scope: Scope, receive: Receive, refusal: Refusal) -> None:
        """Answer with a problem document, unless an answer is under way."""
        if not self.status:
            await problems.answer(refusal)(scope, receive, self)


def _request_id(scope: Scope) -> str:
    """Take the id that a proxy or the caller gave the request, or make one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and (given := _REQUEST_ID.fullmatch(value)):
            return str(given[0], "ascii")
    return token_hex(8)


@cache
def _seconds(route: str) -> Histogram:
    return metrics.request_seconds.labels(route)


def _route(scope: Scope) -> str:
    """Name the pattern of a route, never the address that was asked for: that may hold a token."""
    given: str | None = scope.get("reelbus.route")
    return given or getattr(scope.get("route"), "path", None) or "unknown"


_counters: dict[tuple[str, str, int], Counter] = {}


def _count(key: tuple[str, str, int]) -> None:
    counter = _counters.get(key)
    if counter is None:
        counter = _counters[key] = metrics.requests.labels(*key)
    counter.inc()
