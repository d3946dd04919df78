"""Answers that are not the documented one: what each fault sends instead, or does to the true answer."""

import asyncio
import json
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from math import ceil
from typing import Literal

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

Manner = Literal["answer", "truncate", "pad", "comma", "drip", "hang", "drop"]
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
PADDING = b"x" * (8 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to spoil an answer. `truncate`, `pad`, `comma` and `drip` spoil the true one."""

    name: str
    says: str
    manner: Manner = "answer"
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    retry_after: Literal["", "seconds", "date"] = ""

    @property
    def spoils(self) -> bool:
        """Say whether this fault needs a true answer to work on."""
        return self.manner in ("truncate", "pad", "comma", "drip")

    @property
    def before_reading(self) -> bool:
        """Say whether this fault strikes before the request's body is read."""
        return self.manner in ("hang", "drop")


def _error(status: int, text: str, *, suffix: str = "", says: str = "", retry_after: str = "") -> Fault:
    body = json.dumps({"error": text}).encode()
    name = f"http-{status}{suffix}"
    retry = {"": "", "seconds": "seconds", "date": "date"}[retry_after]
    described = says or f"answers {status} with an explanation in JSON"
    return Fault(name, described, status=status, body=body, retry_after=retry)  # type: ignore[arg-type]  # the three literals


def _shaped(name: str, says: str, body: object, status: int = 422) -> Fault:
    return Fault(name, says, status=status, body=json.dumps(body).encode())


SMALL = "Invalid image size. The image width and height must be 512x512 or greater than 512x512 pixels."
TOO_MANY = "Too Many Attempts."

_ALL = (
    _error(400, "The request could not be understood."),
    _error(400, "The image could not be processed.", suffix="-image", says="answers 400 and blames the image"),
    _error(401, "Invalid API key."),
    _error(402, "Not enough credits."),
    _error(403, "This key may not use this endpoint."),
    _error(404, "Not found."),
    _error(422, "Unprocessable request."),
    _error(500, "Internal server error."),
    Fault("http-502", "answers 502 with an HTML page", status=502, body=HTML, content_type="text/html"),
    _error(503, "Temporarily unavailable."),
    _error(
        503,
        "Temporarily unavailable.",
        suffix="-retry-after",
        retry_after="seconds",
        says="answers 503 with Retry-After in seconds",
    ),
    _error(504, "Gateway timeout."),
    _error(429, TOO_MANY),
    _error(
        429,
        TOO_MANY,
        suffix="-retry-after",
        retry_after="seconds",
        says="answers 429 with Retry-After in seconds",
    ),
    _error(
        429,
        TOO_MANY,
        suffix="-retry-date",
        retry_after="date",
        says="answers 429 with Retry-After as an HTTP date",
    ),
    Fault("html-200", "answers 200 with an HTML page", body=HTML, content_type="text/html"),
    Fault("html-502", "answers 502 with an HTML page", status=502, body=HTML, content_type="text/html"),
    Fault("empty-200", "answers 200 with an empty body"),
    Fault("deep-json", "answers 200 with 200,000 nested brackets", body=b"[" * 200_000),
    Fault("bad-json", "cuts the true answer in half", manner="truncate"),
    Fault("huge-answer", "adds 8 MB of padding to the true answer", manner="pad"),
    Fault("trailing-comma", "prints a comma before the last brace of the true answer", manner="comma"),
    Fault("slow-body", "sends the true answer a byte at a time, over a long while", manner="drip"),
    Fault("hang", "reads nothing and never answers", manner="hang"),
    Fault("reset", "resets the connection without reading the body", manner="drop"),
    Fault("redirect-308", "answers 308 to another host name", status=308),
    _shaped(
        "error-422-laravel",
        "answers 422 as Laravel does: message and errors",
        {"message": "The given data was invalid.", "errors": {"image": [SMALL]}},
    ),
    _shaped(
        "error-422-fastapi",
        "answers 422 as FastAPI does: a list under detail",
        {"detail": [{"loc": ["body", "image"], "msg": SMALL, "type": "value_error"}]},
    ),
    _shaped(
        "error-422-captured",
        "answers 422 in the form seen in the field: error, field, list",
        {"error": {"image": ["The image has invalid minimum dimentions (512 x 512)."]}},
    ),
    _shaped(
        "success-false-200",
        "answers 200 with success false and a message",
        {"success": False, "message": "Something went wrong, please try again."},
        status=200,
    ),
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _ALL}
ALIASES = {"html": "html-200", "reset-before-read": "reset", "refuse": "reset"}


def fault_named(name: str) -> Fault | None:
    """Find a fault by its name, a short form of it (`reset-before-read`), or an HTTP code (`503`)."""
    name = ALIASES.get(name, name)
    return FAULTS.get(name) or FAULTS.get(f"http-{name}")


@dataclass(frozen=True, slots=True)
class FaultTiming:
    """How long the slow faults take, and the event that ends them all."""

    closing: asyncio.Event
    hang: float
    drip: float
    retry_after: float
    elsewhere: str


def apply_fault(fault: Fault, patience: FaultTiming, true: Response | None, seconds: float | None) -> Response:
    """Make the answer that this fault gives; `seconds` overrides how long or when."""
    if fault.manner == "drop":
        return Dropped()
    if fault.manner == "hang":
        return Silent(patience.closing, seconds or patience.hang)
    if fault.spoils:
        return _distorted(fault, patience, true or Response(b"{}", media_type="application/json"), seconds)
    answer = Response(fault.body, fault.status, media_type=fault.content_type)
    if fault.status == 308:
        answer.headers["location"] = patience.elsewhere
    if fault.retry_after:
        wait = patience.retry_after if seconds is None else seconds
        date = formatdate(ceil(time.time() + wait), usegmt=True)
        answer.headers["retry-after"] = date if fault.retry_after == "date" else str(ceil(wait))
    return answer


def _distorted(fault: Fault, patience: FaultTiming, true: Response, seconds: float | None) -> Response:
    body = bytes(true.body)
    status, media_type = true.status_code, true.media_type
    match fault.manner:
        case "truncate":
            return Response(body[: len(body) // 2], status, media_type=media_type)
        case "pad":
            return Response(body[:-1] + b',"padding":"' + PADDING + b'"}', status, media_type=media_type)
        case "comma":
            return Response(body[:-1] + b"," + body[-1:], status, media_type=media_type)
        case _:
            return Dripped(body, status, patience, seconds or patience.drip)


class Dropped(Response):
    """No answer: the connection is reset."""

    def __init__(self) -> None:
        super().__init__()
        self.status_code = 0

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Reset the connection of this request."""
        await _reset(scope, receive)


class Silent(Response):
    """No answer, for as long as the caller waits."""

    def __init__(self, closing: asyncio.Event, seconds: float) -> None:
        super().__init__()
        self.status_code = 0
        self._closing = closing
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Wait until the caller goes away, the time is over or the stand-in stops."""
        gone = asyncio.create_task(_gone(receive))
        closing = asyncio.create_task(self._closing.wait())
        await asyncio.wait((gone, closing), timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
        left = gone.done()
        for task in (gone, closing):
            task.cancel()
        if not left:
            await _reset(scope, receive)


class Dripped(Response):
    """A whole answer, a byte at a time."""

    def __init__(self, body: bytes, status: int, patience: FaultTiming, seconds: float) -> None:
        super().__init__(body, status, media_type="application/json")
        self._pause = seconds / max(1, len(body))
        self._closing = patience.closing

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head at once and the body slowly, while anybody listens."""
        gone = asyncio.create_task(_gone(receive))
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        for at in range(len(body)):
            last = at == len(body) - 1
            await send({"type": "http.response.body", "body": body[at : at + 1], "more_body": not last})
            if gone.done() or self._closing.is_set():
                break
            await asyncio.sleep(self._pause)
        gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _reset(scope: Scope, receive: Receive) -> None:
    """Close the caller's connection with a reset and wait until the server has noticed."""
    transport = scope.get("sandbox.transport")
    if transport is None:
        raise ConnectionResetError("this server does not let the stand-in drop a connection")
    with suppress(OSError, AttributeError):
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await _gone(receive)
