"""The shape of an answer: its fields and their types, the words of its state, and nothing that it says of anybody.

Two answers have one shape if they differ only in values. A new status word, a new or missing field, another type,
another error text or content type makes another shape. What is kept of an answer is its shape, and so is redacted.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from providers.http.seen import SeenAnswer
from providers.parsing.error_text import is_web_page
from providers.parsing.json import Unreadable, decode
from schemas.names import Provider

_DEEPEST = 5
_MOST_FIELDS = 60
_MOST_ITEMS = 20
_LONGEST_WORD = 40
_LONGEST_TEXT = 160
_WORDS = frozenset({"status", "state"})
_TEXTS = frozenset({"error", "errors", "message", "detail", "msg", "failure", "reason", "error_type", "code"})
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{1,12}://\S+")
_NAMELIKE = re.compile(r"\S*[0-9@]\S*")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z_ -]{0,39}")


@dataclass(frozen=True, slots=True)
class Shape:
    """What answers of one shape have in common: `body` is JSON in which every value is replaced by its kind."""

    status: int
    content_type: str
    body: str

    @property
    def id(self) -> str:
        """A short name that is the same in every process and release."""
        return sha256(f"{self.status}\n{self.content_type}\n{self.body}".encode()).hexdigest()[:24]


def shape_of(answer: SeenAnswer) -> Shape:
    """Give the shape of an answer, in time that grows with its length."""
    kind = answer.content_type.partition(";")[0].strip().lower()[:100]
    if answer.body is None:
        return Shape(answer.status, kind, json.dumps("<not read>"))
    document = decode(answer.body)
    if isinstance(document, Unreadable):
        return Shape(answer.status, kind, json.dumps("<page>" if is_web_page(answer.body) else "<not JSON>"))
    return Shape(answer.status, kind, json.dumps(_redacted(document, "", _DEEPEST), sort_keys=True))


def is_documented(provider: Provider, shape: Shape) -> bool:
    """Say whether a provider's pages show an answer of this shape, or it says no more than that it failed."""
    return shape in _documented(provider)


@cache
def _documented(provider: Provider) -> frozenset[Shape]:
    """Read the examples of a provider's pages: `documented.json` in its folder, a list of documents and statuses."""
    file = files(f"providers.{provider}") / "documented.json"
    examples = json.loads(file.read_text()) if file.is_file() else []
    return frozenset(
        shape_of(SeenAnswer(each.get("status", 200), "application/json", json.dumps(each["body"]).encode()))
        for each in examples
    )


def _redacted(value: object, key: str, deeper: int) -> object:
    if isinstance(value, dict):
        return _fields(value, deeper) if deeper else "<object>"
    if isinstance(value, list):
        return _items(value, key, deeper) if deeper else "<list>"
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, str):
        return _text(value, key.lower())
    return "<number>"


def _fields(value: dict[str, object], deeper: int) -> dict[str, object]:
    named = {(key if _PLAIN_KEY.fullmatch(key) else "<key>"): key for key in list(value)[:_MOST_FIELDS]}
    return {shown: _redacted(value[key], key, deeper - 1) for shown, key in named.items()}


def _items(value: Sequence[object], key: str, deeper: int) -> list[object]:
    shown = {json.dumps(_redacted(item, key, deeper - 1), sort_keys=True) for item in value[:_MOST_ITEMS]}
    return [json.loads(each) for each in sorted(shown)]


def _text(value: str, key: str) -> str:
    """Keep the word of a state and the plain words of an error; of all else only that it is a text."""
    if key in _WORDS and len(value) <= _LONGEST_WORD and not _NAMELIKE.search(value):
        return value
    if key in _TEXTS:
        plain = _ADDRESS.sub("<address>", value[: 4 * _LONGEST_TEXT].lower())
        return " ".join(_NAMELIKE.sub("<name>", _QUOTED.sub("<quoted>", plain)).split())[:_LONGEST_TEXT]
    if value.startswith(("http://", "https://")):
        return "<address>"
    return "<text>" if value else ""
