"""Mutated pictures against real inspectors: `python -m tests.fuzz --pictures COUNT`.

Each is answered, by a picture that may be used or by a rejection, within bounds of time and memory; no inspector dies.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from process.inspector import Inspectors
from schemas.picture import MAX_PIXELS, MINIMUM_SIDE, Picture, PictureRejected
from tests.support.hostile_pictures import DEAR, odd_exif
from tests.support.pictures import picture

CPU_SECONDS = 1.0
MEMORY = 100_000_000

_AT_ONCE = 4
_MOST_BYTES = 4_000_000
_PIECES = [
    b"\xff",
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xda",
    b"\xff\xe1",
    b"\xff\xdb",
    b"\xff\xc0",
    b"\0\0\0\0",
    b"\x7f\xff\xff\xff",
]
_PIECES += [name + bytes(4) for name in (b"IHDR", b"IDAT", b"IEND", b"acTL", b"iCCP", b"zTXt", b"PLTE")]

Change = Callable[[random.Random, bytes, bytes], bytes]


@dataclass
class PictureFindings:
    """What came of it: how many pictures came to what, the dearest, and what was wrong, by the pictures' seeds."""

    answers: Counter[str] = field(default_factory=Counter)
    cpu: float = 0.0
    memory: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """How many pictures were answered."""
        return sum(self.answers.values())


def _flipped(chance: random.Random, data: bytes, _: bytes) -> bytes:
    changed = bytearray(data)
    for _number in range(chance.randint(1, 12)):
        changed[chance.randrange(len(changed))] = chance.choice((0, 0xFF, chance.randrange(256)))
    return bytes(changed)


def _cut(chance: random.Random, data: bytes, _: bytes) -> bytes:
    return data[: chance.randrange(len(data)) + 1]


def _spliced(chance: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: chance.randrange(len(data)) + 1] + other[chance.randrange(len(other)) :]


def _repeated(chance: random.Random, data: bytes, _: bytes) -> bytes:
    start, end = sorted((chance.randrange(len(data)), chance.randrange(len(data))))
    part = data[start : end + 1]
    return data[:start] + part * min(chance.choice((2, 50, 5_000)), 1 + 500_000 // len(part)) + data[start:]


def _inserted(chance: random.Random, data: bytes, _: bytes) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + chance.choice(_PIECES) * chance.choice((1, 10, 20_000)) + data[place:]


_CHANGES: list[Change] = [_flipped, _flipped, _cut, _spliced, _repeated, _inserted]


def seeds() -> list[bytes]:
    """Give honest pictures of every kind, and dear ones."""
    honest = [picture(kind="JPEG"), picture(kind="JPEG", progressive=True), picture(mode="P"), picture(), odd_exif()]
    return [*honest, picture(mode="RGBA"), *(make(50_000) for make in DEAR.values())]


def mutated(chance: random.Random, given: list[bytes]) -> bytes:
    """Change a picture in some ways."""
    data = chance.choice(given)
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(_CHANGES)(chance, data, chance.choice(given))[:_MOST_BYTES]
    return data


async def run(count: int, *, seed: int) -> PictureFindings:
    """Have so many mutated pictures looked into, some at once."""
    findings, inspectors, given = PictureFindings(), Inspectors(at_once=_AT_ONCE), seeds()
    numbers = iter(range(count))
    try:
        await asyncio.gather(*(_ask(inspectors, given, numbers, seed, findings) for _ in range(_AT_ONCE)))
        for child in inspectors._idle:
            findings.memory = max(findings.memory, _most_memory(child._process.pid))
    finally:
        await inspectors.close()
    if findings.memory > MEMORY:
        findings.wrong.append(f"an inspector took {findings.memory:,} bytes")
    return findings


async def _ask(
    inspectors: Inspectors, given: list[bytes], numbers: Iterator[int], seed: int, findings: PictureFindings
) -> None:
    for number in numbers:
        data = mutated(random.Random(f"{seed} {number}"), given)
        before = _spent(inspectors)
        try:
            found = await inspectors.inspect(data)
        except PictureRejected as rejected:
            answer, fault = "rejected", "its inspector died" if "too much time" in str(rejected) else None
        else:
            answer, fault = "taken", None if _usable(found) else f"taken as {found}"
        findings.answers[answer] += 1
        after = _spent(inspectors)
        dearest = max((after[pid] - before.get(pid, after[pid]) for pid in after), default=0.0)
        findings.cpu = max(findings.cpu, dearest)
        if dearest > CPU_SECONDS:
            fault = f"{dearest:.2f} s of a processor while it was looked into"
        if fault:
            findings.wrong.append(f"picture {number} of seed {seed}, {len(data)} bytes: {fault}")


def _usable(found: Picture) -> bool:
    return min(found.width, found.height) >= MINIMUM_SIDE and found.width * found.height <= MAX_PIXELS


def _spent(inspectors: Inspectors) -> dict[int, float]:
    """Read how many seconds of a processor each resting inspector has used."""
    ticks = os.sysconf("SC_CLK_TCK")
    spent = {}
    for child in tuple(inspectors._idle):
        fields = Path(f"/proc/{child._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        spent[child._process.pid] = sum(map(int, fields[11:13])) / ticks
    return spent


def _most_memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
