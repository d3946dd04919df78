"""Faults: what each sends instead of the documented answer, or does to it."""

import json
from dataclasses import dataclass
from typing import Literal

Manner = Literal["answer", "truncate", "pad", "comma", "drip", "hang", "drop"]
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


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
