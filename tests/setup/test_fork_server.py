"""A process from the fork server is as one that was started anew, and says how it ended."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.forked import Forked, ForkServer
from tests.support.service import ROOT, fork_server

MODULE = "tests.setup.first_look"


@pytest.fixture
def env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "REELBUS_TEST_CRASH": "settled:3", "PYTHONHASHSEED": "0"}


async def forked(tmp_path: Path, env: dict[str, str]) -> tuple[int, Any, str]:
    with (tmp_path / "errors").open("wb") as errors:
        process = await fork_server().start(MODULE, "a", "b c", env=env, folder=tmp_path, errors=errors.fileno())
    printed, _ = await process.communicate()
    return await process.wait(), json.loads(printed), (tmp_path / "errors").read_text()


async def anew(tmp_path: Path, env: dict[str, str]) -> tuple[int, Any, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", MODULE, "a", "b c"),
        cwd=tmp_path,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(printed), errors.decode()


async def test_a_fork_finds_what_a_new_process_finds(tmp_path: Path, env: dict[str, str]) -> None:
    by_fork, by_start = await forked(tmp_path, env), await anew(tmp_path, env)
    assert by_fork[1]["same"] == by_start[1]["same"]
    assert by_fork[1]["same"]["deaths"] == {"settled": 3}
    assert (by_fork[0], by_fork[2]) == (by_start[0], by_start[2]) == (7, "to errors\n")


async def test_no_two_forks_have_the_same_chance(tmp_path: Path, env: dict[str, str]) -> None:
    [first, second] = [(await forked(tmp_path, env))[1]["other"] for _ in range(2)]
    assert all(first[name] != second[name] for name in first)


async def test_a_fork_takes_signals_and_tells_which_ended_it(tmp_path: Path, env: dict[str, str]) -> None:
    with (tmp_path / "errors").open("wb") as errors:
        process: Forked = await fork_server().start(
            "reelbus", "sandbox", "--port", "0", env=env, folder=tmp_path, errors=errors.fileno()
        )
    assert process.returncode is None
    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == process.returncode == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        process.send_signal(signal.SIGKILL)


async def test_what_a_test_leaves_behind_is_ended_when_one_asks_or_is_gone(tmp_path: Path, env: dict[str, str]) -> None:
    server = ForkServer(env)
    for end in (server.end_all, server.close):
        with (tmp_path / "errors").open("wb") as errors:
            frozen = await server.start(
                "reelbus", "sandbox", "--port", "0", env=env, folder=tmp_path, errors=errors.fileno()
            )
        frozen.send_signal(signal.SIGSTOP)
        end()
        assert await frozen.wait() == -signal.SIGKILL
