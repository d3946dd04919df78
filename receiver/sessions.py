"""Sessions of the console: an API key is exchanged once for a signed cookie that no script can read.

A session holds no rights of its own: each request is judged by the key that was shown, as it is then. So it ends when
that key is disabled or expires, and after twelve hours at the latest.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import JSONResponse, Response

from intake.context import Context
from receiver.keyring import Identity
from schemas.problem import ProblemCode, Refusal
from schemas.scopes import Scope
from schemas.times import optional_rfc3339

ADDRESS = "/console/session"
LASTS_SECONDS = 12 * 3600

_COOKIE = "reelbus-session"
_LONGEST_COOKIES = 8192
_READING = frozenset({"GET", "HEAD"})


def session_token(headers: Headers) -> str | None:
    """Give the token that a request's cookies hold, if any."""
    cookies = headers.get("cookie", "")
    if _COOKIE not in cookies or len(cookies) > _LONGEST_COOKIES:
        return None
    return cookie_parser(cookies).get(_COOKIE)


def refuse_forgery(headers: Headers, method: str) -> None:
    """Raise `Refusal` unless a page of ours asked: a browser sends the cookie whichever page asks (CSRF)."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        own = site == "same-origin" or (site == "none" and method in _READING)
    elif origin is not None:
        own = _authority(origin) == headers.get("host", "").lower()
    else:
        own = method in _READING
    if not own:
        raise Refusal(
            ProblemCode.FORBIDDEN,
            "a session of the console is good for requests of the console alone; programs send"
            " `Authorization: Bearer KEY`, and a reverse proxy must pass the header Host on unchanged",
        )


def _authority(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


class Sessions:
    """The route `/console/session`: who is logged in, logging in with a key, and logging out."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def show(self, request: Request) -> Response:
        """Tell who asks and what that caller may do, so that the console offers nothing else."""
        return JSONResponse(_shown(request), headers={"cache-control": "no-store"})

    async def begin(self, request: Request) -> Response:
        """Give whoever sent an API key a session. A session begins no other, so that none outlives its twelve hours."""
        answer = await self.show(request)
        identity = _identity(request)
        if identity is not None and "authorization" not in request.headers:
            raise Refusal(ProblemCode.UNAUTHORIZED, "send the API key again, as `Authorization: Bearer KEY`")
        if identity is not None:
            now = self._context.now()
            until = min(now + LASTS_SECONDS, identity.expires_at or float("inf"))
            token = self._context.signer.session_token(identity.digest, expires_at=until)
            _set_cookie(answer, request, token, max_age=int(until - now))
        return answer

    async def end(self, request: Request) -> Response:
        """Have the browser forget the session."""
        answer = Response(status_code=204)
        _set_cookie(answer, request, "", max_age=0)
        return answer


def _identity(request: Request) -> Identity | None:
    identity: Identity | None = request.scope.get("reelbus.identity")
    return identity


def _shown(request: Request) -> dict[str, object]:
    identity = _identity(request)
    return {
        "keyed": identity is not None,
        "caller": request.scope["reelbus.caller"],
        "scopes": sorted(Scope if identity is None else identity.scopes),
        "key_expires_at": None if identity is None else optional_rfc3339(identity.expires_at),
    }


def _set_cookie(answer: Response, request: Request, token: str, *, max_age: int) -> None:
    # The origin is the browser's own word about how it reached us, whatever proxies are between.
    secure = request.headers.get("origin", "").startswith("https://")
    answer.set_cookie(_COOKIE, token, max_age=max_age, path="/", httponly=True, samesite="strict", secure=secure)
