"""What providers answered, for whoever watches: every answer to the requests that are made inside a block."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from providers.http.responses import Response
from schemas.names import Provider

LARGEST_WATCHED = 32 * 1024
"""Bytes of a body above which only its head is watched."""


@dataclass(frozen=True, slots=True)
class SeenAnswer:
    """One answer; `body` is None where it was not read whole, or is larger than what is watched."""

    status: int
    content_type: str
    body: bytes | None
    clock_ahead: float | None = None


WatchAnswers = Callable[[Provider, Sequence[SeenAnswer], str], None]
"""Told a provider, its answers to one submission or check or its signed webhook, and what they were taken for."""


def watch_nothing(_provider: Provider, _answers: Sequence[SeenAnswer], _read_as: str) -> None:
    """Take no notice of answers."""


_watchers: ContextVar[list[SeenAnswer] | None] = ContextVar("answers", default=None)


@contextmanager
def watched_answers() -> Iterator[list[SeenAnswer]]:
    """Give a list to which every answer is added that this task gets inside the block."""
    seen: list[SeenAnswer] = []
    token = _watchers.set(seen)
    try:
        yield seen
    finally:
        _watchers.reset(token)


def note_answer(answer: Response) -> None:
    """Show an answer to whoever watches."""
    seen = _watchers.get()
    if seen is not None:
        body = answer.body if answer.body is not None and len(answer.body) <= LARGEST_WATCHED else None
        seen.append(SeenAnswer(answer.status, answer.content_type or "", body, answer.clock_ahead))
