"""What an unsigned webhook claims, read from any bytes whatever. A hint, never evidence."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

from providers.answers import Unreadable, decode
from providers.classify import classify
from providers.reports import WebhookHint

MAX_BODY_BYTES = 64 * 1024
MAX_CANDIDATES = 8
MAX_DEPTH = 5

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PART = re.compile(r'name="([^"]{1,100})"[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n([^\r\n]{1,4096})\r?\n')


def read_webhook(body: bytes, *, user_id: str | None = None) -> WebhookHint:
    """Find identifiers that look like IACrea's, likeliest first, and addresses if the body says success.

    `user_id` is our own, which no job bears. Never raises.
    """
    document = _document(body[:MAX_BODY_BYTES])
    found = [(key, value.lower()) for key, value in _strings(document, "", MAX_DEPTH) if _UUID.fullmatch(value)]
    # Stable: among equals the first in the body stays first.
    found.sort(key=lambda pair: _rank(pair[0]))
    ours = user_id.strip().lower() if user_id else None
    ids = dict.fromkeys(value for key, value in found if value != ours and _squash(key) != "userid")
    verdict = classify(document)
    return WebhookHint(tuple(ids)[:MAX_CANDIDATES], verdict.urls if verdict.succeeded else ())


def _document(body: bytes) -> object:
    """Read JSON, a form (where a field may hold JSON), or a multipart form."""
    document = decode(body)
    if not isinstance(document, Unreadable):
        return document
    text = body.decode("utf-8", "replace")
    if text.startswith("--"):
        pairs = _PART.findall(text)
    else:
        try:
            pairs = parse_qsl(text, max_num_fields=200)
        except ValueError:
            return None
    return _form(pairs)


def _form(pairs: list[tuple[str, str]]) -> dict[str, object]:
    form: dict[str, object] = {}
    for name, text in pairs[:200]:
        value: object = decode(text.encode()) if text.lstrip()[:1] in ("{", "[") else text
        key = name.removesuffix("[]")
        kept = form.get(key)
        form[key] = [kept, value] if isinstance(kept, str) else value
    return form


def _strings(value: object, key: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value.strip()
    elif isinstance(value, dict) and depth:
        for name, item in value.items():
            yield from _strings(item, name, depth - 1)
    elif isinstance(value, list) and depth:
        for item in value:
            yield from _strings(item, key, depth - 1)


def _rank(key: str) -> int:
    name = _squash(key)
    return 0 if name.startswith("generation") else 1 if name == "id" else 3 if "project" in name else 2


def _squash(key: str) -> str:
    return key.replace("_", "").replace("-", "").lower()
