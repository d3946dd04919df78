"""A start waits for a database server that is away, at whichever of its steps that is."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from process.settings import Settings
from reelbus.wiring import awaited
from store.database import StoreUnavailable

READ_ONLY = StoreUnavailable("the session is read-only")


def settings(url: str) -> Settings:
    return Settings.read({"REELBUS_DATABASE_URL": url}, file=None)


def step(*failures: StoreUnavailable) -> Callable[[], Awaitable[str]]:
    """Make a step of a start that fails so often before it succeeds."""
    left = list(failures)

    async def take() -> str:
        if left:
            raise left.pop()
        return "done"

    return take


async def test_a_step_is_taken_again_while_the_server_is_being_replaced() -> None:
    server = settings("postgresql://reelbus@127.0.0.1:1/reelbus")
    assert await awaited(server, asyncio.Event(), step(READ_ONLY)) == "done"


async def test_a_file_that_cannot_be_opened_is_told_at_once() -> None:
    with pytest.raises(StoreUnavailable, match="read-only"):
        await awaited(settings("sqlite:///reelbus.db"), asyncio.Event(), step(READ_ONLY))


async def test_whoever_is_told_to_stop_waits_no_longer() -> None:
    stop = asyncio.Event()

    async def fail() -> str:
        stop.set()
        raise READ_ONLY

    assert await awaited(settings("postgresql://reelbus@127.0.0.1:1/reelbus"), stop, fail) is None
