"""Power may fail at any instant: nobody was told what the store then does not know any more."""

import json
from collections import Counter
from collections.abc import Iterable
from unittest import mock

import pytest

from store.transaction import Tx
from tests.simulation.histories import ACTS, act, pass_time, settle, story
from tests.simulation.invariants import Broken, check_all
from tests.simulation.power import PoweredWorld
from tests.simulation.virtual import virtual

BLOCKS, EACH = 4, 40
TROUBLE = 90
_NAMES = [name for _, name in ACTS]
_WEIGHTS = [weight for weight, _ in ACTS]
_CUT = 5


def run_with_power_cuts(seed: int) -> PoweredWorld:
    """Live one history in which the power fails now and then. Raises `Broken`, with the whole history."""
    world = PoweredWorld(seed)
    with virtual(world):
        try:
            world.request()
            for _ in range(TROUBLE):
                name = world.rng.choices([*_NAMES, "power cut"], [*_WEIGHTS, _CUT])[0]
                if name == "power cut":
                    world.cut_power()
                else:
                    act(world, name)
            settle(world)
            check_all(world)
        except Exception as error:
            raise Broken(f"seed {seed}: {error!r}\n{story(world)}") from error
    return world


def live(seeds: Iterable[int]) -> None:
    for seed in seeds:
        run_with_power_cuts(seed)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_nothing_that_was_told_is_contradicted_after_a_power_cut(block: int) -> None:
    live(range(block * EACH, (block + 1) * EACH))


def test_the_power_fails_where_something_is_lost() -> None:
    seen: Counter[str] = Counter()
    for seed in range(200_000, 200_040):
        world = run_with_power_cuts(seed)
        seen.update(what for _, _, what in world.history)
    assert seen["power cut"] > 100
    assert seen["something is forgotten"] > 10


def test_an_end_that_were_not_synced_would_be_noticed() -> None:
    with mock.patch.object(Tx, "must_sync"), pytest.raises(Broken, match="without a sync"):
        live(range(300))


def orphan_told_before_a_power_cut(seed: int) -> PoweredWorld:
    """Have a generator die while it sends, another one end the attempt, the relay tell it, and then the power fail."""
    world = PoweredWorld(seed)
    world.calm = True
    dying, other, _, _, relay, _ = world.processes
    with virtual(world):
        world.request()
        world.work(dying)
        while not world.connection.execute("SELECT 1 FROM attempts WHERE state = 'sending'").fetchone():
            world.advance(dying, next(iter(dying.tasks)))
        world.crash(dying)
        for _ in range(12):
            pass_time(world, 1.0)
            world.work(other)
        world.work(relay)
        while relay.tasks:
            world.advance(relay, "relay")
        world.cut_power()
        pass_time(world, 30.0)
        settle(world)
        check_all(world)
    return world


def orphans_told(seeds: Iterable[int]) -> int:
    """Count the ends that were told of what a dead process was sending."""
    told: Counter[str] = Counter()
    for seed in seeds:
        world = orphan_told_before_a_power_cut(seed)
        ends = [json.loads(body)["data"] for *_, body in set(world.broker.delivered)]
        told.update(end["error"]["code"] for end in ends if end["error"])
    return told["submission_unknown"]


def test_an_end_that_was_told_is_the_same_after_a_power_cut() -> None:
    assert orphans_told(range(20)) > 5


def test_an_end_that_was_told_unsynced_would_contradict_itself() -> None:
    watch = mock.patch.object(PoweredWorld, "_insist_on_sync")
    with mock.patch.object(Tx, "must_sync"), watch, pytest.raises(Broken, match="same bytes"):
        orphans_told(range(20))
