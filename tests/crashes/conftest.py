"""Stand-ins and a broker for tests of crashes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest_asyncio

from tests.crashes.scenario import CrashScenario, stage
from tests.support.broker import Broker
from tests.support.service import Sandbox

SetStage = Callable[..., AbstractAsyncContextManager[CrashScenario]]


@pytest_asyncio.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    """Give stand-ins of the test's own."""
    started = await Sandbox.start(tmp_path, render_seconds=0.5)
    yield started
    await started.close()


@pytest_asyncio.fixture
async def set_stage(tmp_path: Path, sandbox: Sandbox, broker: Broker) -> SetStage:
    """Give a function that sets a stage in a folder of a name, with settings."""

    def one(name: str = "stage", **env: str) -> AbstractAsyncContextManager[CrashScenario]:
        folder = tmp_path / name
        folder.mkdir()
        return stage(folder, sandbox, broker, env)

    return partial(one)
