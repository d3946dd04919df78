"""What a provider says in words: found in any of its error forms, cleaned, and sorted by what it is about."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from providers.parsing.json import Unreadable, decode, levels
from schemas.names import ErrorCode

MAX_MESSAGE_CHARACTERS = 1000
_MAX_RAW_CHARACTERS = 4 * MAX_MESSAGE_CHARACTERS

_ERROR_KEYS = ("error", "errors", "detail", "details", "error_message", "errormessage")
_TALK_KEYS = ("message", "msg", "reason", "failure_reason", "error_code", "description")
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""The Unicode categories of what breaks a line or cannot be seen."""

_OUR_PATHS = re.compile(r"/(webhooks/[a-z0-9_-]+|media)/[^\s\"'<>?#]+")
_CREDENTIALS = re.compile(
    r"\b(bearer|x-api-key|api[_-]?key|token)(\"?\s*[:= ]\s*\"?)(?=\S*\d)[\w.~+/|-]{12,}=*", re.IGNORECASE
)
_TAG = re.compile(r"<[^<>]*>")
_TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)

_ABOUT_CREDITS = re.compile(
    r"credit|payment required|quota|\bbalance\b|\bfunds\b"
    r"|\b(?:no|not enough|insufficient|remaining|out of)\b(?: \w+){0,2} (?:videos|photos|generations)\b",
    re.IGNORECASE,
)
_ABOUT_THE_IMAGE = re.compile(r"(?:\b|_)(?:image|picture|photo|png|jpe?g)|\b512 ?x ?512\b", re.IGNORECASE)
_UNKNOWN_ID = re.compile(
    r"queue[ _-]?id"
    r"|\b(?:generation|job|task|request|prediction|animation|video|id)\b.{0,40}"
    r"\b(?:not found|does ?n[o']t exist|does not exist|is unknown|unknown)"
    r"|\b(?:unknown|no such) (?:generation|job|task|request|prediction|animation|video|id)\b",
    re.IGNORECASE | re.DOTALL,
)


def error_text_of(body: object) -> str:
    """Find the text under a key that only errors have; empty where there is none. `error: null` is none."""
    return _first(body, _ERROR_KEYS)


def any_text(body: object) -> str:
    """Find whatever the provider says: an error's text first, else its `message` or `reason`."""
    return error_text_of(body) or _first(body, _TALK_KEYS)


def response_text(raw: bytes | None) -> str:
    """Find what a refusal says, JSON or not; of a web page only its title."""
    document = decode(raw)
    if not isinstance(document, Unreadable):
        return document if isinstance(document, str) else any_text(document)
    text = (raw or b"")[:4000].decode("utf-8", "replace")
    if not is_web_page(raw):
        return text[:300]
    title = _TITLE.search(text)
    return title[1].strip() if title else ""


def is_web_page(raw: bytes | None) -> bool:
    """Say whether a body is HTML or XML: a gateway's or a firewall's words, not the provider's."""
    return (raw or b"").lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def clean(text: str, secrets: Sequence[str] = ()) -> str:
    """Make a provider's text fit to keep and show: one line, at most 1,000 characters, no secrets."""
    if not text:
        return ""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "***")
    text = _OUR_PATHS.sub(r"/\1/***", _CREDENTIALS.sub(r"\1\2***", text[:_MAX_RAW_CHARACTERS]))
    seen = "".join(" " if unicodedata.category(c) in INVISIBLE else c for c in text)
    return " ".join(_TAG.sub(" ", seen).split())[:MAX_MESSAGE_CHARACTERS]


def refusal_code(text: str) -> ErrorCode:
    """Sort a refusal of a submission by what it is about."""
    if _ABOUT_CREDITS.search(text):
        return ErrorCode.OUT_OF_CREDITS
    if _ABOUT_THE_IMAGE.search(text):
        return ErrorCode.IMAGE_REJECTED
    return ErrorCode.REQUEST_REJECTED


def denies_job(text: str) -> bool:
    """Say whether a text means that the provider does not know the job that was asked about."""
    return _UNKNOWN_ID.search(text) is not None


def _first(body: object, keys: Sequence[str]) -> str:
    for level in (level for outer in (body[:8] if isinstance(body, list) else [body]) for level in levels(outer)):
        named = {str(key).lower(): value for key, value in level.items()}
        for key in keys:
            value = named.get(key)
            text = "" if value is None else "; ".join(part for part in _flat(value, 4) if part)
            if text:
                return text
    return ""


def _flat(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()[:_MAX_RAW_CHARACTERS]
    elif isinstance(value, list) and depth:
        for item in value[:8]:
            yield from _flat(item, depth - 1)
    elif isinstance(value, dict) and depth:
        yield from _flat_fields(value, depth - 1)


def _flat_fields(fields: dict[str, object], depth: int) -> Iterator[str]:
    if isinstance(fields.get("msg"), str) and isinstance(where := fields.get("loc"), list):
        yield f"{where[-1] if where else 'body'}: {fields['msg']}"[:_MAX_RAW_CHARACTERS]
        return
    for key, value in list(fields.items())[:16]:
        text = "; ".join(part for part in _flat(value, depth) if part)
        if text:
            yield text if key in ("message", "msg") else f"{key}: {text}"
