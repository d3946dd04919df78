"""A helper that repeats a step outlives whatever the step raises, waits longer each time, and is told by a metric."""

import asyncio

from process import metrics
from process.repeating import repeat
from tests.support.waiting import GIVE_UP_SECONDS


def counted(step: str) -> float:
    return (
        metrics.REGISTRY.get_sample_value(
            "reelbus_unexpected_errors_total", {"step": step, "error": "ZeroDivisionError"}
        )
        or 0.0
    )


async def test_a_step_that_raises_is_taken_again_and_counted() -> None:
    stop, taken = asyncio.Event(), 0

    async def stumbles() -> int:
        nonlocal taken
        taken += 1
        if taken >= 4:
            stop.set()
            return 0
        raise ZeroDivisionError

    before = counted("stumbles")
    await asyncio.wait_for(repeat(stumbles, stop, every=0.001), GIVE_UP_SECONDS)
    assert (taken, counted("stumbles") - before) == (4, 3)


async def test_what_is_expected_is_not_counted() -> None:
    stop = asyncio.Event()

    async def is_put_off() -> int:
        stop.set()
        raise ZeroDivisionError

    before = counted("is_put_off")
    await asyncio.wait_for(repeat(is_put_off, stop, every=0.001, expected=(ZeroDivisionError,)), GIVE_UP_SECONDS)
    assert counted("is_put_off") == before


async def test_while_there_is_more_it_does_not_wait_and_when_woken_no_longer() -> None:
    stop, wake = asyncio.Event(), asyncio.Event()
    taken: list[int] = []

    async def works() -> bool:
        taken.append(len(taken))
        if len(taken) == 6:
            stop.set()
            wake.set()
        return len(taken) < 5

    going = asyncio.create_task(repeat(works, stop, every=3600, wake=wake))
    while len(taken) < 5:
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    assert len(taken) == 5
    wake.set()
    await asyncio.wait_for(going, GIVE_UP_SECONDS)
