"""People choose how much a command shows, and whether in colour; what it does stays the same."""

import asyncio
import io
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from reelbus.client import Video
from reelbus.event_line import short_line, video_id
from reelbus.terminal import Output
from reelbus.waiting import Progress
from tests.reelbus.conftest import ROOT, Run
from tests.support.broker import Broker
from tests.support.ports import free_port
from tests.support.waiting import eventually


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def steps(output: Output, stream: io.StringIO) -> str:
    progress = Progress(lambda _: None, output, stream)
    video = cast("Video", {"id": "01a1fb7f", "status": "accepted", "provider": None})
    for status in ("accepted", "generating", "generating", "ready"):
        progress.show({**video, "status": status})
    progress.end()
    return stream.getvalue()


def test_waiting_shows_one_live_line_a_line_for_each_step_or_nothing() -> None:
    assert steps(Output.INTERACTIVE, Terminal()).count("\n") == 1
    compact = "01a1fb7f  accepted\n01a1fb7f  generating\n01a1fb7f  ready\n"
    assert steps(Output.COMPACT, Terminal()) == compact
    assert steps(Output.INTERACTIVE, io.StringIO()) == compact, "a pipe has no live line"
    assert steps(Output.QUIET, Terminal()) == ""


@pytest.mark.parametrize("show", [lambda body: short_line("video.ready.x", body), video_id])
@pytest.mark.parametrize(
    "body", [b"\xff\x1b[2J", b"[]", b'{"data": 1}', b"{" * 100_000], ids=("escape", "list", "number", "deep")
)
def test_what_is_no_event_is_shown_harmlessly(show: object, body: bytes) -> None:
    assert callable(show)
    assert "\x1b" not in show(body)


@asynccontextmanager
async def going_on(tmp_path: Path, broker: Broker, exchange: str, *words: str) -> AsyncIterator[list[str]]:
    """Run a command that watches, in a pipe; give the lines of stdout as they come."""
    lines: list[str] = []
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "REELBUS_AMQP_URL": broker.url, "REELBUS_EXCHANGE": exchange}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reelbus", *words), cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None

    async def read(stream: asyncio.StreamReader) -> None:
        async for line in stream:
            lines.append(line.decode())

    reading = asyncio.create_task(read(process.stdout))
    try:
        yield lines
    finally:
        process.terminate()
        await process.wait()
        await reading


async def triggered_until(run: Run, broker: Broker, exchange: str, lines: list[str]) -> str:
    """Publish an event as often as it takes to be seen by a watch that is perhaps still starting; give its id."""
    env = {"REELBUS_AMQP_URL": broker.url, "REELBUS_EXCHANGE": exchange}

    async def seen() -> bool:
        await asyncio.to_thread(run, "trigger", "ready", "--id", "one", **env)
        return bool(lines)

    await eventually(seen)
    return "one"


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        (["--output", "compact"], r"12:00:00 video.ready.iacrea"),
        (["--output", "interactive"], "found by webhook"),
        (["--output", "quiet"], None),
    ],
)
async def test_watch_shows_as_much_as_is_asked_for(
    run: Run, broker: Broker, exchange: str, tmp_path: Path, words: list[str], shape: str | None
) -> None:
    async with going_on(tmp_path, broker, exchange, "watch", *words) as lines:
        await triggered_until(run, broker, exchange, lines)
    [first, *_] = lines
    if shape is None:
        assert len(first.split()) == 1
    else:
        assert " video.ready.iacrea " in first
        assert ("found by" in first) is (shape == "found by webhook")
    assert "\x1b" not in first


async def test_colour_is_written_where_it_is_asked_for(run: Run, broker: Broker, exchange: str, tmp_path: Path) -> None:
    words = ("--color", "always", "watch", "--output", "interactive")
    async with going_on(tmp_path, broker, exchange, *words) as lines:
        await triggered_until(run, broker, exchange, lines)
    assert "\x1b[32mvideo.ready" in lines[0]


async def test_in_a_pipe_watch_prints_json_unless_told_otherwise(
    run: Run, broker: Broker, exchange: str, tmp_path: Path
) -> None:
    async with going_on(tmp_path, broker, exchange, "watch") as lines:
        await triggered_until(run, broker, exchange, lines)
    assert json.loads(lines[0])["type"] == "video.ready"


async def test_a_quiet_listen_tells_only_what_was_not_delivered(
    run: Run, broker: Broker, exchange: str, tmp_path: Path
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/hook"
    async with going_on(tmp_path, broker, exchange, "listen", "--forward", nobody, "--output", "quiet") as lines:
        await triggered_until(run, broker, exchange, lines)
    assert "again in" not in "".join(lines)


def test_two_formats_at_once_are_refused(run: Run) -> None:
    assert run("watch", "--json", "--output", "quiet").status == 2
