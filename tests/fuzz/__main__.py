"""Throw generated input at everything that reads input: `python -m tests.fuzz [SEED [MESSAGES]]`.

Prints how much was tried and what was wrong; exits 1 if anything was. Bounded to ten minutes.
"""

import asyncio
import sys
import tempfile
import time
import traceback
from pathlib import Path

from process import logs
from tests.fuzz import messages, parsers, pictures
from tests.receiver.conformance import KEY, conform
from tests.receiver.serving import serving

MINUTES = 10
CASES = 3_000
EXAMPLES = 120
MESSAGES = 5_000
"""Mutated AMQP messages; a long run is given 100,000 and more."""


async def _routes(seed: int, until: float) -> tuple[int, str | None]:
    """Ask every route of a running receiver, in rounds, until there were enough cases."""
    cases = 0
    while cases < CASES and time.monotonic() < until:
        with tempfile.TemporaryDirectory() as folder:
            async with serving(Path(folder), api_keys=f"test:{KEY}") as service:
                found = await conform(service.context.settings.local_url, Path(folder), examples=EXAMPLES, seed=seed)
        cases += found.cases
        seed += 1
        if found.wrong is not None:
            return cases, found.wrong
    return cases, None


def _commands(seed: int, count: int, until: float) -> int:
    """Send mutated messages to a publisher; give how much was wrong."""
    found = asyncio.run(messages.fuzz(count, seed=seed, until=until))
    print(f"{found.tried:>8,}  AMQP messages, {found.honest} honest ones among them, {found.parked:,} parked;", end=" ")
    print(f"the event loop was held for {1000 * found.longest_pause:.0f} ms at most")
    if found.wrong is not None:
        print(f"   WRONG  {found.wrong}")
    return int(found.wrong is not None)


def main() -> int:
    """Run everything; give the exit status."""
    logs.set_up(quiet=True)
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else int(time.time())
    print(f"seed {seed}")
    until = time.monotonic() + MINUTES * 60
    wrong = 0
    for name in parsers.TARGETS:
        try:
            print(f"{parsers.run(name, seed=seed):>8,}  {name}", flush=True)
        except Exception:  # whatever a parser raises is a finding
            wrong += 1
            print(f"   WRONG  {name}\n{traceback.format_exc()}", flush=True)
    found = asyncio.run(pictures.run(pictures.COUNT, seed=seed))
    wrong += len(found.wrong)
    print("\n".join([f"{found.tried:>8,}  mutated pictures through inspectors", *found.wrong]), flush=True)
    wrong += _commands(seed, int(sys.argv[2]) if len(sys.argv) > 2 else MESSAGES, until)
    cases, report = asyncio.run(_routes(seed, until))
    print(f"{cases:>8,}  requests generated from the OpenAPI document")
    if report is not None:
        print(report)
    if cases < CASES:
        print(f"only {cases} of {CASES} cases in the time there was")
    return 1 if wrong or report is not None or cases < CASES else 0


sys.exit(main())
