"""Authentication and authorisation: who calls, whether the key has the scope, and at what rate it may call."""

import asyncio
from typing import NoReturn

import structlog
from starlette.datastructures import Headers
from starlette.types import Scope as Request

from intake.auditing import log_action
from intake.context import LOCAL_CALLER, Context
from jobs import audit
from process.api_keys import digest_of
from receiver.auth import RateLimiter
from receiver.keyring import Identity, Keyring
from receiver.local import is_loopback, refuse_others
from receiver.sessions import ADDRESS as SESSION
from receiver.sessions import refuse_forgery, session_token
from receiver.throttle import RefusedKeys
from schemas.audit import AuditAction
from schemas.problem import ProblemCode, Refusal
from schemas.scopes import Scope
from store.database import StoreUnavailable

_log = structlog.get_logger(__name__)

_NOTED_A_MINUTE = 30
"""How many refused keys the audit log keeps a minute, of however many peers."""


_TO_READ = {
    "/v1/audit": Scope.OPERATE,
    "/v1/dead-commands": Scope.OPERATE,
    "/v1/settings": Scope.OPERATE,
    "/v1/webhooks": Scope.OPERATE,
    "/v1/webhooks/refused": Scope.OPERATE,
    "/metrics": Scope.METRICS,
}


def needed_scope(method: str, path: str) -> Scope:
    """Say which scope a request needs; what changes anything and is not listed needs `operate`."""
    if method in {"GET", "HEAD"}:
        return _TO_READ.get(path, Scope.READ)
    if path in {"/v1/videos", "/v1/videos/batch"} or path.endswith(("/retry", "/cancel")):
        return Scope.SUBMIT
    return Scope.REDELIVER if path.endswith("/redeliver") else Scope.OPERATE


class Guard:
    """Decides whether a request for `/v1`, the metrics or the console is let through."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._keyring = Keyring(context)
        self._rate_limiter = RateLimiter(context)
        self._refused = RefusedKeys(context.now)
        self._on_loopback = is_loopback(context.settings.host)
        self._noted: list[float] = []
        self._notes: set[asyncio.Future[None]] = set()

    async def admit(self, request: Request, answer: dict[str, str]) -> None:
        """Note the caller in the request's scope, and add headers to its answer's. Raises `Refusal`."""
        path: str = request["path"]
        if path.startswith("/v1/") or path in {"/v1", SESSION}:
            await self._admit_to_api(request, path, answer)
        elif path == "/metrics":
            await self._admit_to_metrics(request)
        elif (path == "/console" or path.startswith("/console/")) and not await self._keyring.was_keyed():
            refuse_others(Headers(scope=request))

    async def still_admits(self, request: Request) -> bool:
        """Say whether key and session of a request that is being answered for long are still good."""
        identity: Identity | None = request.get("reelbus.identity")
        if request.get("reelbus.session_ends", float("inf")) <= self._context.now():
            return False
        try:
            return identity is None or await self._keyring.find(identity.digest) is not None
        except StoreUnavailable:
            return True  # while it is away nobody can disable a key, nor are there events to tell

    async def _admit_to_api(self, request: Request, path: str, answer: dict[str, str]) -> None:
        headers = Headers(scope=request)
        if not await self._keyring.is_keyed():
            refuse_others(headers)
            request["reelbus.caller"] = LOCAL_CALLER
            return
        identity = await self._identify(request, headers)
        answer["ratelimit-policy"] = self._rate_limiter.policy
        answer.update(self._rate_limiter.hit(identity.name))
        if path != SESSION:
            _authorise(identity, needed_scope(request["method"], path))

    async def _admit_to_metrics(self, request: Request) -> None:
        headers = Headers(scope=request)
        if self._on_loopback and "authorization" not in headers:
            refuse_others(headers)
        elif await self._keyring.is_keyed():
            _authorise(await self._identify(request, headers), Scope.METRICS)
        else:
            refuse_others(headers)

    async def _identify(self, request: Request, headers: Headers) -> Identity:
        by_key = "authorization" in headers
        identity = await (self._identify_by_key if by_key else self._identify_by_session)(request, headers)
        request["reelbus.caller"] = identity.name
        request["reelbus.identity"] = identity
        return identity

    async def _identify_by_key(self, request: Request, headers: Headers) -> Identity:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        given = key.strip()
        identity = await self._keyring.find(digest_of(given.encode("latin-1", "replace")))
        if identity is None or scheme.lower() != "bearer":
            self._refuse(request, tried=bool(given))
        return identity

    async def _identify_by_session(self, request: Request, headers: Headers) -> Identity:
        token = session_token(headers)
        session = None if token is None else self._context.signer.session_of(token, now=self._context.now())
        identity = None if session is None else await self._keyring.find(session[0])
        if session is None or identity is None:
            self._refuse(request, tried=False)
        refuse_forgery(headers, request["method"])
        request["reelbus.session_ends"] = session[1]
        return identity

    def _refuse(self, request: Request, *, tried: bool) -> NoReturn:
        peer = (request.get("client") or ("unknown", 0))[0]
        if tried and self._refused.count(peer):
            self._note_refusal(peer)
        raise Refusal(
            ProblemCode.UNAUTHORIZED,
            "the API key is missing or wrong; send a valid one as `Authorization: Bearer KEY`",
        )

    def _note_refusal(self, peer: str) -> None:
        """Write the first wrong key of a peer into the audit log, in the background and at a bounded rate."""
        now = self._context.now()
        self._noted = [at for at in self._noted if now - 60 < at <= now]
        if len(self._noted) >= _NOTED_A_MINUTE:
            return
        self._noted.append(now)
        log_action(AuditAction.KEY_REFUSED, actor=audit.STRANGER, detail=peer)
        noting = asyncio.ensure_future(
            self._context.store.write_small(
                audit.record, AuditAction.KEY_REFUSED, actor=audit.STRANGER, detail=f"from {peer}", now=now
            )
        )
        self._notes.add(noting)
        noting.add_done_callback(self._end_note)

    def _end_note(self, noting: asyncio.Future[None]) -> None:
        self._notes.discard(noting)
        if not noting.cancelled() and (error := noting.exception()) is not None:
            _log.warning("a refused API key could not be noted", reason=str(error))


def _authorise(identity: Identity, scope: Scope) -> None:
    if scope not in identity.scopes:
        raise Refusal(
            ProblemCode.FORBIDDEN,
            f"the API key {identity.name} lacks the scope {scope}; use one that has it,"
            f" or create one: reelbus keys create NAME --scope {scope}",
        )
