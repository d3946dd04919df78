"""A short run of the fuzzer of raw HTTP requests; `make fuzz` runs it for longer."""

import time
from pathlib import Path

from tests.fuzz.raw_http import fuzz


async def test_every_sound_request_among_mutated_ones_is_answered_once(tmp_path: Path) -> None:
    report = await fuzz(tmp_path, requests=1_500, seed=1, until=time.monotonic() + 40)

    assert not report.wrong, report.wrong[0]
    assert report.requests > 100
    assert report.grown < 60_000_000
