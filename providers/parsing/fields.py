"""Single values out of a provider's document, wherever one level down it may have put them."""

import unicodedata
from collections.abc import Mapping, Sequence

from providers.parsing.error_text import INVISIBLE
from providers.parsing.json import levels

MAX_ID_CHARACTERS = 200

_NOT_IN_IDS = INVISIBLE | {"Zs"}
_LARGEST_COUNT = 2**53


def job_id_in(document: object, keys: Sequence[str]) -> str | None:
    """Find the provider's name for a job under one of `keys`; None where there is none that could be used."""
    for level in levels(_only(document)):
        named = {key.lower(): value for key, value in level.items()}
        for key in keys:
            job_id = _usable_id(named.get(key))
            if job_id is not None:
                return job_id
    return None


def count_in(document: object, keys: Sequence[str]) -> int | None:
    """Find a whole number under one of `keys`, or None."""
    for level in levels(_only(document)):
        named = {key.lower(): value for key, value in level.items()}
        for key in keys:
            count = _count(named.get(key))
            if count is not None:
                return count
    return None


def subscription_in(document: Mapping[str, object]) -> dict[str, object]:
    """Find the part of HomeDesigns' account that tells of the plan; empty where there is none."""
    for key, value in document.items():
        if key.lower() == "data":
            for item in value if isinstance(value, list) else [value]:
                for name, part in item.items() if isinstance(item, dict) else ():
                    if name.lower() == "subscription" and isinstance(part, dict):
                        return part
    return {}


def describe_counts(account: Mapping[str, object]) -> str:
    """List the whole numbers of an account, which are its credits; nothing that names a person."""
    counts = ((key.replace("_", " ").lower()[:40], _count(value)) for key, value in account.items())
    told = [f"{key}: {count}" for key, count in counts if count is not None and key.isprintable()]
    return ", ".join(told[:6]) or "it tells no credits"


def _only(document: object) -> object:
    """Give the one item of a list that has one; anything else as it is."""
    return document[0] if isinstance(document, list) and len(document) == 1 else document


def _usable_id(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    plain = text.isascii() and text.isprintable() and " " not in text
    unseen = not plain and any(unicodedata.category(character) in _NOT_IN_IDS for character in text)
    # Dots alone would name another path of the provider's.
    if unseen or not text.strip(".") or len(text) > MAX_ID_CHARACTERS:
        return None
    return text


def _count(value: object) -> int | None:
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < _LARGEST_COUNT else None
