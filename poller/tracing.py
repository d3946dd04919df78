"""The spans of a check: asking the provider, and settling what it said."""

from contextlib import AbstractContextManager

from process import tracing
from process.tracing import SpanKind
from schemas.trace import NO_TRACE, Trace
from store import traces
from store.attempts import AttemptRow
from store.database import Store, StoreUnavailable


async def trace_of(store: Store, attempt: AttemptRow) -> Trace:
    """Read the trace that an attempt belongs to, where spans are exported. Raises `StoreUnavailable`."""
    return await store.read_small(traces.of_video, attempt.video_id) if tracing.is_on() else NO_TRACE


async def known_trace(store: Store, attempt: AttemptRow) -> Trace:
    """Read the trace that an attempt belongs to, for a log line: an empty one where the store is away."""
    try:
        return await store.read_small(traces.of_video, attempt.video_id)
    except StoreUnavailable:
        return NO_TRACE


def check_span(attempt: AttemptRow, trace: Trace) -> AbstractContextManager[Trace]:
    """Make the span of asking a provider about an attempt."""
    return tracing.span(f"check {attempt.provider}", trace, SpanKind.CLIENT, **_named(attempt))


def record_settling(attempt: AttemptRow, trace: Trace, *, began: float, ended: float) -> None:
    """Make the span of what the provider said ending the attempt; times in Unix seconds."""
    tracing.record("settle", trace, SpanKind.INTERNAL, began=began, ended=ended, **_named(attempt))


def _named(attempt: AttemptRow) -> dict[str, str | int]:
    return {
        "reelbus_provider": str(attempt.provider),
        "reelbus_video_id": attempt.video_id,
        "reelbus_attempt": attempt.number,
    }
