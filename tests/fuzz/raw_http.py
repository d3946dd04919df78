"""Mutated HTTP requests on the sockets of a real receiver: n requests in, n answers out, or the connection closed.

Half of the connections send sound requests whose bodies look like others, cut into random segments: each must get
exactly its answers. The other half send mutated bytes: there must never be more answers than request lines. All the
while the process's memory is weighed and its event loop timed.
"""

import asyncio
import contextlib
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support.hostile_requests import corpus
from tests.support.raw_http import CLOSED, connected
from tests.support.weighing import alone, resident

AT_ONCE = 16
MOST_GROWN = 100_000_000
"""By how many bytes the process may grow, whatever is sent."""

_WORDS = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b":", b" ", b"\0", b"\xff", b"0\r\n\r\n", b"GET / HTTP/1.1\r\n", b"HTTP/1.0",
    b"upgrade: h2c\r\n", b"connection: upgrade\r\n", b"connection: close\r\n", b"transfer-encoding: chunked\r\n",
    b"content-length: 5\r\n", b"content-length: 0\r\n", b"expect: 100-continue\r\n", b"ffffffff\r\n", b";a=b",
]  # fmt: skip
_LAST = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
_H2C = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAA\r\n"


@dataclass
class Report:
    """What was sent and how the receiver bore it; times in seconds, sizes in bytes."""

    requests: int = 0
    grown: int = 0
    slowest_health: float = 0.0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Request:
    data: bytes
    status: int
    is_plain: bool


def _sound(chance: random.Random) -> _Request:
    """Make a request of known answer, whose body looks like requests."""
    if chance.random() < 0.3:
        return _Request(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n", 200, is_plain=True)
    body = b"".join(chance.choice([*_WORDS, _LAST, _H2C]) for _ in range(chance.randrange(20)))
    head = b"POST /nowhere HTTP/1.1\r\nhost: localhost\r\n"
    kind = chance.choice(["plain", "upgrade", "chunks"])
    if kind == "chunks":
        size = chance.randint(1, 50)
        chunks = [body[start : start + size] for start in range(0, len(body), size)]
        framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
        return _Request(head + b"transfer-encoding: chunked\r\n\r\n" + framed, 404, is_plain=False)
    offer = _H2C if kind == "upgrade" else b""
    return _Request(head + offer + b"content-length: %d\r\n\r\n" % len(body) + body, 404, is_plain=kind == "plain")


def _mutated(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[at:at] = chance.choice(_WORDS)
            case 1:
                del data[at : at + chance.randint(1, 20)]
            case 2:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case _:
                data[at:at] = data[at : at + chance.randint(1, 100)]
    return bytes(data)


def _segments(chance: random.Random, data: bytes) -> Iterator[bytes]:
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randrange(4)))
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        yield data[start:end]


async def _statuses(port: int, segments: Iterator[bytes]) -> list[int]:
    """Send segments, end the sending, and give the statuses of all answers."""
    found = []
    async with connected(port) as raw:
        with contextlib.suppress(ConnectionError):
            for segment in segments:
                await raw.send(segment)
                await asyncio.sleep(0)
        while (answer := await raw.answer(within=60)) != CLOSED:
            found.append(answer.status)
    return found


def _fault(requests: Sequence[_Request], found: list[int]) -> str | None:
    """Say what is wrong with the answers to sound requests, of which those behind the first may be refused."""
    expected = [request.status for request in requests]
    if found == expected:
        return None
    refusable = next((at for at, request in enumerate(requests) if at and not request.is_plain), None)
    served = found[:-1] if found and found[-1] == 400 else found
    if refusable is not None and len(served) >= refusable and expected[: len(served)] == served:
        return None
    return f"expected {expected}, got {found} for {b''.join(request.data for request in requests)!r}"


async def _sound_connection(port: int, chance: random.Random, report: Report) -> None:
    requests = [_sound(chance) for _ in range(chance.randint(1, 5))] + [_Request(_LAST, 200, is_plain=True)]
    found = await _statuses(port, _segments(chance, b"".join(request.data for request in requests)))
    report.requests += len(requests)
    if fault := _fault(requests, found):
        report.wrong.append(fault)


async def _mutated_connection(port: int, chance: random.Random, report: Report, seeds: Sequence[bytes]) -> None:
    data = b"".join(_mutated(chance, seeds) for _ in range(chance.randint(1, 3))) + _LAST
    found = await _statuses(port, _segments(chance, data))
    lines = len(re.findall(rb"HTTP/", data))
    report.requests += lines
    if len([status for status in found if status >= 200]) > lines + 1:
        report.wrong.append(f"{len(found)} answers to {lines} request lines: {data!r}")


async def _watch(port: int, report: Report) -> None:
    """Ask for the health again and again; the slowest answer tells how long the event loop was held."""
    async with httpx.AsyncClient(base_url=f"http://localhost:{port}", timeout=60, trust_env=False) as http:
        while True:
            began = time.monotonic()
            answer = await http.get("/healthz")
            report.slowest_health = max(report.slowest_health, time.monotonic() - began)
            if answer.status_code != 200:
                report.wrong.append(f"/healthz answered {answer.status_code}")
            await asyncio.sleep(0.05)


async def fuzz(folder: Path, *, requests: int, seed: int, until: float) -> Report:
    """Send so many requests, or as many as there is time for until `time.monotonic()` is `until`."""
    report = Report()
    seeds = [case.request.replace(b"connection: close\r\n", b"") for case in corpus() if len(case.request) < 5_000]
    async with alone(folder) as (port, pid):
        before = resident(pid)

        async def one(number: int) -> None:
            chance = random.Random(f"{seed} {number}")
            while report.requests < requests and not report.wrong and time.monotonic() < until:
                if chance.random() < 0.5:
                    await _sound_connection(port, chance, report)
                else:
                    await _mutated_connection(port, chance, report, seeds)

        watching = asyncio.create_task(_watch(port, report))
        try:
            await asyncio.gather(*(one(number) for number in range(AT_ONCE)))
        finally:
            watching.cancel()
        report.grown = resident(pid) - before
    if report.grown > MOST_GROWN:
        report.wrong.append(f"the process grew by {report.grown:,} bytes")
    return report
