"""Watch what providers answer for shapes that no page documents and nobody has seen."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

import structlog

from jobs import drift
from process import metrics
from providers.http.seen import SeenAnswer
from providers.parsing.shapes import Shape, is_documented, shape_of
from schemas.names import Provider
from store import answer_shapes
from store.answer_shapes import AnswerShape
from store.database import Store

MOST_WAITING = 1000
"""Sightings that wait to be stored; above that they are only counted by the metric."""

RELEASE = version("reelbus")
"""Read once: to look for it takes half a millisecond, and a provider whose answers have drifted gives many."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DriftSentinel:
    """Keeps what is new; every generator and poller has one, and they share what they learn through the store."""

    store: Store
    sightings: list[AnswerShape] = field(default_factory=list)
    """What was seen and is not stored yet."""

    def watch(self, provider: Provider, answers: Sequence[SeenAnswer], read_as: str) -> None:
        """Note the answers to one submission or check, or a signed webhook, and what they were taken for."""
        now = time.time()
        for shape in map(shape_of, answers):
            if is_documented(provider, shape):
                continue
            metrics.undocumented_answers.labels(provider).inc()
            if len(self.sightings) < MOST_WAITING:
                self.sightings.append(_sighting(provider, shape, read_as, now))

    async def keep(self) -> int:
        """Store what was seen, tell what is new, and give 0: nothing more is due. Raises `StoreUnavailable`."""
        waiting = list(self.sightings)
        if waiting:
            fresh = await self.store.write_unsynced(drift.learn, waiting)
            del self.sightings[: len(waiting)]
            for row in fresh:
                metrics.new_answer_shapes.labels(row.provider).inc()
                log.warning(
                    "answer of a shape never seen", provider=row.provider, shape=row.shape, status=row.status,
                    read_as=row.read_as, body=row.body[:500],
                )  # fmt: skip
        return 0

    async def compare(self) -> int:
        """Forget what this release documents, as after an upgrade, and show how much of what was seen it does not."""
        kept = await self.store.read(answer_shapes.listed)
        known = [
            (row.provider, row.shape)
            for row in kept
            if is_documented(row.provider, Shape(row.status, row.content_type, row.body))
        ]
        metrics.answer_shapes.set(await self.store.write(drift.forget, known) if known else len(kept))
        return 0


def _sighting(provider: Provider, shape: Shape, read_as: str, now: float) -> AnswerShape:
    return AnswerShape(provider, shape.id, shape.status, shape.content_type, shape.body, read_as, RELEASE, now, now, 1)
