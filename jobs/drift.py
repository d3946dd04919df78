"""The drift sentinel: an answer whose shape was never seen is kept once, redacted, and told.

What is kept is shared by all processes and survives them, so each shape is told once. It is bounded: a provider with
more shapes than that has no form that could drift.
"""

from collections import Counter
from collections.abc import Sequence

from schemas.names import Provider
from store import answer_shapes
from store.answer_shapes import AnswerShape
from store.transaction import Tx

MOST_SHAPES = 200
"""How many shapes are kept of one provider."""


def learn(tx: Tx, sightings: Sequence[AnswerShape]) -> list[AnswerShape]:
    """Keep and count the shapes that were seen; give those that nobody has ever seen."""
    counted = Counter((row.provider, row.shape) for row in sightings)
    rows = {(row.provider, row.shape): row for row in sightings}
    fresh = []
    for key, row in rows.items():
        has_room = answer_shapes.is_kept(tx, *key) or answer_shapes.count(tx, row.provider) < MOST_SHAPES
        if has_room and answer_shapes.add(tx, row._replace(seen=counted[key])):
            fresh.append(row)
    return fresh


def forget(tx: Tx, documented: Sequence[tuple[Provider, str]]) -> int:
    """Forget shapes that a new release documents; say how many are left."""
    for provider, shape in documented:
        answer_shapes.remove(tx, provider, shape)
    return len(answer_shapes.listed(tx))
