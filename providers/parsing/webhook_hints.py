"""What an unsigned webhook claims, read from any bytes whatever in linear time. A hint, never evidence."""

import re
from collections.abc import Collection, Iterator
from urllib.parse import parse_qsl

from providers.parsing.classify import classify
from providers.parsing.json import Unreadable, decode
from providers.reports import WebhookHint

MAX_BODY_BYTES = 64 * 1024
MAX_CANDIDATES = 2
"""Jobs of one body that are worth a question; whoever knows the address can make bodies name any number."""
MAX_FIELDS = 200
MAX_DEPTH = 5

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PART_NAME = re.compile(r'name="([^"\n]{1,100})"')


def read_webhook(body: bytes, *, ours: Collection[str] = (), allow_private: bool = False) -> WebhookHint:
    """Find up to two identifiers that look like IACrea's, likeliest first, and addresses if the body says success.

    `ours` are our own names at providers, which no job bears. `allow_private` lets addresses count whose host is not
    public. Never raises.
    """
    document = _document(body[:MAX_BODY_BYTES])
    found = [(key, value.lower()) for key, value in _strings(document, "", MAX_DEPTH) if _UUID.fullmatch(value)]
    # Stable: among equals the first in the body stays first.
    found.sort(key=lambda pair: _rank(pair[0]))
    not_jobs = {name.strip().lower() for name in ours}
    ids = dict.fromkeys(value for key, value in found if value not in not_jobs and _normalized_key(key) != "userid")
    verdict = classify(document, allow_private=allow_private)
    return WebhookHint(tuple(ids)[:MAX_CANDIDATES], verdict.urls if verdict.succeeded else ())


def _document(body: bytes) -> object:
    """Read JSON, a form (where a field may hold JSON), or a multipart form."""
    document = decode(body)
    if not isinstance(document, Unreadable):
        return document
    text = body.decode("utf-8", "replace")
    if text.startswith("--"):
        return _form(_parts(text))
    try:
        return _form(parse_qsl(text, max_num_fields=MAX_FIELDS))
    except ValueError:
        return None


def _parts(text: str) -> list[tuple[str, str]]:
    """Read the fields of a multipart form, whose boundary is its first line: a webhook's content type is not kept."""
    boundary, _, rest = text.replace("\r\n", "\n").partition("\n")
    pairs = []
    for part in rest.split(f"\n{boundary}", MAX_FIELDS)[:MAX_FIELDS]:
        head, _, value = part.partition("\n\n")
        if named := _PART_NAME.search(head):
            pairs.append((named[1], value))
    return pairs


def _form(pairs: list[tuple[str, str]]) -> dict[str, object]:
    form: dict[str, object] = {}
    for name, text in pairs:
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
    name = _normalized_key(key)
    return 0 if name.startswith("generation") else 1 if name == "id" else 3 if "project" in name else 2


def _normalized_key(key: str) -> str:
    return key.replace("_", "").replace("-", "").lower()
