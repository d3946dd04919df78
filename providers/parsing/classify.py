"""One classifier for what either provider says about a job, tolerant of every form seen or likely.

Neither provider documents its failures, and their pages contradict each other over success, so what counts is
the evidence: a word for a state, or the address of a video.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from providers.parsing.error_text import any_text, denies_job, error_text_of
from providers.parsing.json import CONTAINERS
from schemas.addresses import output_url_usable

MAX_URLS = 16


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PENDING = _words(
    "inqueue queue queued pending waiting created starting started submitted processing inprogress running "
    "throttled generating generatingvideo startrenderingvideo renderingvideo"
)
_GOOD = _words("success succeeded successful completed complete done finished ok ready")
_BAD = _words("failed failure fail error errored canceled cancelled aborted timedout timeout rejected expired")
_NOT_REALLY = _words("no not without retry retrying")
_URL_KEYS = _words(
    "outputvideo outputvideos videourl videourls video videos urls url output outputs outputurl "
    "generatedvideo generatedvideos"
)
_INPUT_KEYS = _words("inputimage originalimage inputurl imageurl input")
# Pictures of the video, and the addresses of a prediction's own API, as Replicate puts them under `urls`.
_BESIDE_KEYS = _words("thumbnail thumbnailurl preview previewurl poster posterurl cover image get cancel stream web")
_NOT_PUBLIC = "its host is not public (REELBUS_ALLOW_PRIVATE_OUTPUT_HOSTS would allow it)"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_WORD_BREAK = re.compile(r"(?<=[a-z])(?=[A-Z])|[\W_]+")


class Kind(Enum):
    """What a document amounts to."""

    PENDING = auto()
    READY = auto()
    FAILED = auto()
    RECHECK = auto()
    """Success without any address: perhaps the address follows."""
    UNUSABLE = auto()
    """Finished, and no address that it gives is one to hand on."""
    LOST_ID = auto()
    ERROR_BODY = auto()
    TRANSIENT = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A document's meaning. `word` is the state in the provider's spelling, where it named one."""

    kind: Kind
    urls: tuple[str, ...] = ()
    message: str = ""
    word: str | None = None
    known: bool = True

    @property
    def succeeded(self) -> bool:
        """Say whether the provider itself says success and gives an address."""
        return self.kind is Kind.READY and self.word is not None


def classify(document: object, *, allow_private: bool = False) -> Verdict:
    """Judge a decoded status document. Never raises, and is READY only with a usable address.

    `allow_private` lets addresses count whose host is not public.
    """
    verdict = _judged(document)
    if allow_private or verdict.kind is not Kind.READY:
        return verdict
    public = tuple(url for url in verdict.urls if output_url_usable(url, allow_private=False))
    if public:
        return replace(verdict, urls=public)
    return replace(verdict, kind=Kind.UNUSABLE, urls=(), message=_NOT_PUBLIC)


def _judged(document: object) -> Verdict:
    if isinstance(document, list):
        return _several(document)
    if isinstance(document, dict):
        return _one(document)
    if isinstance(document, str) and denies_job(document):
        return Verdict(Kind.LOST_ID, message=document)
    return Verdict(Kind.TRANSIENT)


def _several(items: list[object]) -> Verdict:
    verdicts = [_one(item) if isinstance(item, dict) else Verdict(Kind.TRANSIENT) for item in items[:64]]
    if len(verdicts) == 1:
        return verdicts[0]
    kinds = {verdict.kind for verdict in verdicts}
    if Kind.READY in kinds and Kind.PENDING not in kinds:
        urls = dict.fromkeys(url for verdict in verdicts for url in verdict.urls)
        word = next((verdict.word for verdict in verdicts if verdict.succeeded), None)
        return Verdict(Kind.READY, tuple(urls)[:MAX_URLS], word=word)
    if Kind.FAILED in kinds and Kind.READY not in kinds:
        return next(verdict for verdict in verdicts if verdict.kind is Kind.FAILED)
    return Verdict(Kind.PENDING)


def _one(document: dict[str, object]) -> Verdict:
    inner = [value for key in CONTAINERS if isinstance(value := document.get(key), dict)]
    word, meaning = _state(document, inner)
    if meaning is _BAD:
        return _bad(document, word)
    if meaning is _PENDING or (word is not None and meaning is None):
        return Verdict(Kind.PENDING, word=word, known=meaning is not None)
    return _finished(document, inner, word) or _without_evidence(document)


def _finished(document: dict[str, object], inner: list[dict[str, object]], word: str | None) -> Verdict | None:
    """Judge a document that says success, or says nothing."""
    if word is None and _denied(document):
        return None
    addresses = _addresses([document, *inner])
    usable = tuple(url for url in addresses if output_url_usable(url, allow_private=True))
    if usable:
        return Verdict(Kind.READY, usable, word=word)
    if addresses:
        return Verdict(Kind.UNUSABLE, word=word)
    listed = _listed(document)
    if listed is not None:
        return replace(listed, word=listed.word or word)
    if word is None and not (_names_output([document, *inner]) and _without_evidence(document).kind is Kind.TRANSIENT):
        return None
    return Verdict(Kind.RECHECK, word=word)


def _names_output(levels: list[dict[str, object]]) -> bool:
    """Say whether a key for a video's address is there, whatever stands under it."""
    return any(_normalized_key(key) in _URL_KEYS for level in levels for key in level)


def _bad(document: dict[str, object], word: str | None) -> Verdict:
    message = any_text(document)
    # A wrapper's "error" beside these words speaks of our question, not of the job.
    lost = "valid queue id" in message.lower()
    return Verdict(Kind.LOST_ID if lost else Kind.FAILED, message=message, word=word)


def _listed(document: dict[str, object]) -> Verdict | None:
    """Judge a list of documents inside a wrapper; None if none of them says anything."""
    for key in CONTAINERS:
        value = document.get(key)
        if isinstance(value, list):
            flat = [_without_lists(item) for item in value[:64] if isinstance(item, dict)]
            telling: list[object] = [item for item in flat if _one(item).kind is not Kind.TRANSIENT]
            if telling:
                return _several(telling)
    return None


def _without_lists(item: dict[str, object]) -> dict[str, object]:
    """Drop wrapped lists, so that lists within lists are not followed for ever."""
    return {key: value for key, value in item.items() if key not in CONTAINERS or not isinstance(value, list)}


def _denied(document: dict[str, object]) -> bool:
    denials = (document.get("success"), document.get("status"), document.get("ok"))
    return any(denial is False for denial in denials) or document.get("error") is True


def _without_evidence(document: dict[str, object]) -> Verdict:
    error = error_text_of(document)
    message = error or any_text(document)
    if denies_job(message):
        return Verdict(Kind.LOST_ID, message=message)
    if error or _denied(document):
        return Verdict(Kind.ERROR_BODY, message=message)
    return Verdict(Kind.TRANSIENT, message=message)


def _state(document: dict[str, object], inner: list[dict[str, object]]) -> tuple[str | None, object]:
    """Find the word for the job's state: the outer one, unless it only says that the question went well."""
    outer = _word(document)
    nested = next((word for level in inner if (word := _word(level))), None)
    if nested is not None and (outer is None or _meaning(outer) is _GOOD):
        outer = nested
    return outer, None if outer is None else _meaning(outer)


def _word(level: dict[str, object]) -> str | None:
    for key, value in level.items():
        # A number is an HTTP code that some gateways echo, not a state.
        if key.lower() in ("status", "state") and isinstance(value, str) and not value.strip().isdecimal():
            return value.strip()[:200] or None
    return None


def _meaning(word: str) -> frozenset[str] | None:
    squashed = _normalized_key(word)
    for vocabulary in (_PENDING, _GOOD, _BAD):
        if squashed in vocabulary:
            return vocabulary
    parts = [part.lower() for part in _WORD_BREAK.split(word) if part]
    if parts and not _NOT_REALLY & set(parts) and _BAD & {parts[0], parts[-1]}:
        return _BAD
    return None


def _normalized_key(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))


def _addresses(levels: list[dict[str, object]]) -> list[str]:
    """Collect what stands under the keys of a video's address and looks like an address, inputs excluded."""
    inputs: set[str] = set()
    found: dict[str, None] = {}
    for level in levels:
        for key, value in level.items():
            name = _normalized_key(key)
            if name in _URL_KEYS:
                found.update(dict.fromkeys(_strings(value, 4, inputs)))
            elif name in _INPUT_KEYS and isinstance(value, str):
                inputs.add(value.strip())
    return [url for url in found if url not in inputs and _ADDRESS.match(url)][:MAX_URLS]


def _strings(value: object, depth: int, inputs: set[str]) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, list) and depth:
        for item in value[:MAX_URLS]:
            yield from _strings(item, depth - 1, inputs)
    elif isinstance(value, dict) and depth:
        names = {key: _normalized_key(key) for key in value}
        inputs.update(v.strip() for k, v in value.items() if names[k] in _INPUT_KEYS and isinstance(v, str))
        named = [key for key in value if names[key] in _URL_KEYS]
        for key in named or [key for key in value if names[key] not in _INPUT_KEYS | _BESIDE_KEYS]:
            yield from _strings(value[key], depth - 1, inputs)
