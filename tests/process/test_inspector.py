"""No picture, whatever its bytes, costs more than its inspector: a process that holds nothing and is replaced."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from process import inspector
from process.inspector import Inspectors, InspectorUnavailable
from schemas.picture import Picture, PictureRejected
from tests.support.hostile_pictures import DEAR, odd_exif
from tests.support.odd_inspector import odd_inspectors
from tests.support.pictures import picture
from tests.support.service import ROOT
from tests.support.waiting import eventually

SIZE = 20_000_000
SMALL = Picture("image/png", 512, 512)


@pytest.fixture
async def inspectors() -> AsyncIterator[Inspectors]:
    opened = Inspectors()
    yield opened
    await opened.close()


@pytest.fixture
async def odd(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Inspectors]:
    """Give inspectors with faults, that give up soon."""
    odd_inspectors(monkeypatch)
    opened = Inspectors(timeout=8.0)
    yield opened
    await opened.close()


def process_of(inspectors: Inspectors) -> int:
    """Name the process that is going to be asked next."""
    return inspectors._idle[-1]._process.pid


def spent(pid: int) -> float:
    """Say how many seconds of a processor a process has used."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def most_memory(pid: int) -> int:
    """Say how many bytes a process has held at the most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


async def rejection(inspectors: Inspectors, data: bytes) -> str:
    with pytest.raises(PictureRejected) as rejected:
        await inspectors.inspect(data)
    return str(rejected.value)


async def test_a_child_says_what_we_would_have_said(inspectors: Inspectors) -> None:
    assert await inspectors.inspect(picture(600, 512)) == Picture("image/png", 600, 512)
    assert "300x400" in await rejection(inspectors, picture(300, 400, kind="JPEG"))


@pytest.mark.parametrize("name", DEAR)
async def test_the_dearest_picture_is_cheap(inspectors: Inspectors, name: str) -> None:
    await inspectors.inspect(picture())
    pid, before = process_of(inspectors), spent(process_of(inspectors))
    with suppress(PictureRejected):
        await inspectors.inspect(DEAR[name](SIZE))
    assert process_of(inspectors) == pid
    assert spent(pid) - before < 1.0
    assert most_memory(pid) < 100_000_000


@pytest.mark.parametrize("what", ["burn", "crash", "swell", "lie"])
async def test_a_picture_that_kills_its_inspector_is_rejected(odd: Inspectors, what: str) -> None:
    await odd.inspect(picture())

    assert "too much" in await rejection(odd, what.encode())
    assert await odd.inspect(picture()) == SMALL


async def test_a_picture_that_takes_for_ever_is_rejected(odd: Inspectors) -> None:
    await odd.inspect(picture())
    odd._timeout = 0.3

    assert "too much" in await rejection(odd, b"sleep")
    odd._timeout = 10
    assert await odd.inspect(picture()) == SMALL


async def test_others_in_flight_do_not_notice(odd: Inspectors) -> None:
    killing = [asyncio.create_task(rejection(odd, what)) for what in (b"burn", b"sleep", b"crash")]
    honest = await asyncio.gather(*(odd.inspect(picture(512 + number, 512)) for number in range(30)))

    assert [found.width for found in honest] == [512 + number for number in range(30)]
    assert not killing[0].done()
    odd_ones = await asyncio.gather(*killing)
    assert len(odd_ones) == 3


async def test_the_event_loop_goes_on_meanwhile(odd: Inspectors) -> None:
    burning = asyncio.create_task(rejection(odd, b"burn"))
    longest = 0.0
    while not burning.done():
        began = time.perf_counter()
        await asyncio.sleep(0.01)
        longest = max(longest, time.perf_counter() - began)
    assert "too much" in await burning
    assert longest < 1.0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_an_inspector_that_dies_by_chance_costs_no_picture(
    inspectors: Inspectors, number: signal.Signals
) -> None:
    await inspectors.inspect(picture())
    dead = process_of(inspectors)
    inspectors._timeout = 3
    os.kill(dead, number)

    assert await inspectors.inspect(picture()) == SMALL
    assert process_of(inspectors) != dead


async def test_it_stays_below_what_the_operator_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hard limit cannot be raised again, so that an inspector that tried would die of every picture."""
    few = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**28, 2**28))\n"
    monkeypatch.setattr(inspector, "_PROGRAM", few + inspector._PROGRAM)
    opened = Inspectors()

    assert await opened.inspect(picture()) == SMALL
    await opened.close()


async def test_it_can_write_no_file(odd: Inspectors, tmp_path: Path) -> None:
    await odd.inspect(picture())
    file = tmp_path / "written"
    await rejection(odd, b"write" + os.fsencode(file))

    assert not file.exists() or file.read_bytes() == b""


async def test_it_holds_nothing_of_ours(inspectors: Inspectors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELBUS_IACREA_API_KEY", "a secret")
    await inspectors.inspect(picture())
    process = Path(f"/proc/{process_of(inspectors)}")

    assert b"REELBUS" not in (process / "environ").read_bytes()
    assert sorted(each.name for each in (process / "fd").iterdir()) == ["0", "1", "2"]


def test_it_ends_with_its_parent() -> None:
    script = """
import asyncio, sys
from process.inspector import Inspectors
from tests.support.pictures import picture
async def main():
    inspectors = Inspectors()
    await inspectors.inspect(picture())
    print(inspectors._idle[-1]._process.pid, flush=True)
    sys.stdin.read()
asyncio.run(main())
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = Path(f"/proc/{int(parent.stdout.readline())}")
    assert child.exists()
    parent.kill()
    parent.communicate()

    async def gone() -> bool:
        return not os.path.exists(child)  # noqa: PTH110, ASYNC240 - a look into memory

    asyncio.run(eventually(gone, what="the end of the inspector"))


async def test_closing_waits_for_no_picture(odd: Inspectors) -> None:
    await odd.inspect(picture())
    asking = asyncio.create_task(odd.inspect(b"sleep"))
    while not odd._busy:
        await asyncio.sleep(0.01)
    began = time.monotonic()
    await odd.close()

    with pytest.raises(InspectorUnavailable, match="stopped"):
        await asking
    assert time.monotonic() - began < odd._timeout / 2


async def test_oddities_are_told_nobody(inspectors: Inspectors, capfd: pytest.CaptureFixture[str]) -> None:
    assert await inspectors.inspect(odd_exif()) == Picture("image/jpeg", 512, 512)
    await inspectors.close()

    assert capfd.readouterr().err == ""


async def test_where_none_can_be_started_nothing_is_said_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspector, "_PROGRAM", "raise SystemExit(3)")
    opened = Inspectors()
    with pytest.raises(InspectorUnavailable, match="3"):
        await opened.inspect(picture())
    await opened.close()
