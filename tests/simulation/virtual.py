"""Give the code under test the clock, the chance and the names of a simulated world."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from unittest import mock

import generator.submission
import jobs.accept
import jobs.circuit
import jobs.schedule
import jobs.settle
import poller.checking
import process.clock
from providers import registry
from tests.simulation.steps import Silence, Step
from tests.simulation.world import SimulatedWorld

alive: list[SimulatedWorld] = []
"""The world that the code under test lives in now, for those who tamper with it."""


@contextmanager
def virtual(world: SimulatedWorld) -> Iterator[None]:
    """Give the code under test the world's clock, its chance and its names."""
    made = {"video": 0, "attempt": 0}
    alive.append(world)

    def named(kind: str) -> str:
        made[kind] += 1
        return f"{kind}-{made[kind]}"

    def name_attempt() -> SimpleNamespace:
        return SimpleNamespace(hex=named("attempt"))

    machine = SimpleNamespace(time=lambda: world.wall, monotonic=lambda: world.now)
    waiting = SimpleNamespace(sleep=lambda seconds: _sleep(world, seconds), CancelledError=asyncio.CancelledError)
    chance = SimpleNamespace(uniform=world.rng.uniform)
    with (
        mock.patch.object(jobs.circuit, "failures_to_open", return_value=2),
        mock.patch.object(generator.submission, "time", machine),
        mock.patch.object(generator.submission, "asyncio", waiting),
        mock.patch.object(generator.submission, "log", Silence()),
        mock.patch.object(poller.checking, "time", machine),
        mock.patch.object(poller.checking, "log", Silence()),
        mock.patch.object(process.clock, "log", Silence()),
        mock.patch.object(process.clock, "machine", return_value="machine"),
        mock.patch.dict(registry.PROVIDERS, world.offers),
        mock.patch.object(jobs.schedule, "random", chance),
        mock.patch.object(jobs.accept, "uuid7", partial(named, "video")),
        mock.patch.object(jobs.settle, "uuid7", name_attempt),
    ):
        try:
            yield
        finally:
            alive.remove(world)


async def _sleep(world: SimulatedWorld, seconds: float) -> None:
    await Step(lambda: None, world.now + seconds, "sleeping")
