"""Thousands of short lives under seeded trouble, each of which must end as promised.

A failing seed prints its whole history; `python -m tests.simulation SEED` tells it again.
"""

from collections import Counter

import pytest

from tests.simulation.histories import run, story

BLOCKS, EACH = 8, 250


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_history_ends_as_promised(block: int) -> None:
    for seed in range(block * EACH, (block + 1) * EACH):
        run(seed)


def test_a_seed_is_a_whole_history() -> None:
    assert story(run(4)) == story(run(4))
    assert story(run(4)) != story(run(5))


def test_the_histories_are_as_troubled_as_they_should_be() -> None:
    seen: Counter[str] = Counter()
    for seed in range(100_000, 100_200):
        world = run(seed)
        ask = world.connection.execute
        seen.update(dict(ask("SELECT what, COUNT(*) FROM history GROUP BY what").fetchall()))
        seen.update(dict(ask("SELECT type, COUNT(*) FROM outbox GROUP BY type").fetchall()))
        seen.update(dict(ask("SELECT error_code, COUNT(*) FROM attempts GROUP BY error_code").fetchall()))
        seen.update(what for _, _, what in world.history)
        seen["open circuits"] += len(ask("SELECT 1 FROM circuits WHERE opened_at IS NOT NULL").fetchall())
        seen["delivered twice"] += len(world.broker.delivered) - len(set(world.broker.delivered))
    rare = {
        "video.late", "video.fallback", "outcome unknown", "failed late", "accepted after it was given up",
        "submission_unknown", "timed_out", "generation_failed", "result_invalid", "dies", "is told to stop",
        "not accepted", "delivered twice", "store away", "provider away", "waited", "open circuits",
    }  # fmt: skip
    assert {what for what in rare if seen[what] < 3} == set()
