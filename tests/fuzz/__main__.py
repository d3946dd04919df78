"""Throw generated input at everything that reads input: `python -m tests.fuzz [SEED]`, bounded to ten minutes.

With `--http`, `--messages` or `--pictures` one target is given so many inputs, however long that takes.

Prints how much was tried and what was wrong; exits 1 if anything was.
"""

import argparse
import asyncio
import math
import sys
import tempfile
import time
import traceback
from pathlib import Path

from process import logs
from tests.fuzz import messages, parsers, pictures, raw_http
from tests.support.conformance import KEY, conform
from tests.support.parked import Parked, letter
from tests.support.receiver import serving
from tests.support.subscriptions import Desk

MINUTES = 10
CASES = 3_000
EXAMPLES = 120
MESSAGES = 5_000
HTTP_REQUESTS = 20_000
PICTURES = 3_000


async def _routes(seed: int, until: float) -> tuple[int, str | None]:
    """Ask every route of a running receiver, in rounds, until there were enough cases."""
    cases = 0
    while cases < CASES and time.monotonic() < until:
        with tempfile.TemporaryDirectory() as folder:
            async with serving(Path(folder), api_keys=f"test:{KEY}") as service:
                service.context.dead_commands = Parked({"a1": letter("a1")})
                service.context.subscriptions = Desk()
                found = await conform(service.context.settings.local_url, Path(folder), examples=EXAMPLES, seed=seed)
        cases += found.cases
        seed += 1
        if found.wrong is not None:
            return cases, found.wrong
    return cases, None


def _commands(seed: int, count: int, until: float) -> bool:
    """Send mutated messages to a publisher; say whether all went well."""
    found = asyncio.run(messages.fuzz(count, seed=seed, until=until))
    print(f"{found.tried:>8,}  AMQP messages, {found.honest} honest ones among them, {found.parked:,} parked;", end=" ")
    print(f"the process grew by {found.grown / 1e6:.1f} MB,", end=" ")
    print(f"the event loop was held for {1000 * found.longest_pause:.0f} ms at most")
    if found.wrong is not None:
        print(f"   WRONG  {found.wrong}")
    return found.wrong is None


def _pictures(seed: int, count: int) -> bool:
    """Have mutated pictures looked into; say whether all went well."""
    found = asyncio.run(pictures.run(count, seed=seed))
    print(f"{found.tried:>8,}  mutated pictures, {found.answers['taken']:,} taken; the dearest took", end=" ")
    print(f"{found.cpu:.2f} s of a processor, the largest inspector {found.memory / 1e6:.0f} MB", flush=True)
    print("".join(f"   WRONG  {fault}\n" for fault in found.wrong), end="")
    return not found.wrong


def _raw_http(seed: int, requests: int, until: float) -> bool:
    """Send mutated HTTP requests; say whether all went well."""
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(raw_http.fuzz(Path(folder), requests=requests, seed=seed, until=until))
    print(
        f"{report.requests:>8,}  raw HTTP requests, sound and mutated; the receiver grew by"
        f" {report.grown / 1e6:.1f} MB, /healthz took {1000 * report.slowest_health:.0f} ms at most",
        flush=True,
    )
    print("".join(f"   WRONG  {fault}\n" for fault in report.wrong), end="")
    return not report.wrong


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("seed", nargs="?", type=int, default=int(time.time()))
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--http", type=int, metavar="REQUESTS", help="send so many raw HTTP requests, and nothing else")
    only.add_argument("--messages", type=int, metavar="MESSAGES", help="send so many AMQP messages, and nothing else")
    only.add_argument("--pictures", type=int, metavar="PICTURES", help="look into so many pictures, and nothing else")
    return parser.parse_args()


def main() -> int:
    """Run everything; give the exit status."""
    logs.set_up(quiet=True)
    asked = _arguments()
    seed: int = asked.seed
    print(f"seed {seed}")
    if asked.http is not None:
        return 0 if _raw_http(seed, asked.http, math.inf) else 1
    if asked.messages is not None:
        return 0 if _commands(seed, asked.messages, math.inf) else 1
    if asked.pictures is not None:
        return 0 if _pictures(seed, asked.pictures) else 1
    until = time.monotonic() + MINUTES * 60
    wrong = 0
    for name in parsers.TARGETS:
        try:
            print(f"{parsers.run(name, seed=seed):>8,}  {name}", flush=True)
        except Exception:  # whatever a parser raises is a finding
            wrong += 1
            print(f"   WRONG  {name}\n{traceback.format_exc()}", flush=True)
    wrong += not _pictures(seed, PICTURES)
    wrong += not _commands(seed, MESSAGES, until)
    wrong += not _raw_http(seed, HTTP_REQUESTS, until)
    cases, report = asyncio.run(_routes(seed, until))
    print(f"{cases:>8,}  requests generated from the OpenAPI document")
    if report is not None:
        print(report)
    if cases < CASES:
        print(f"only {cases} of {CASES} cases in the time there was")
    return 1 if wrong or report is not None or cases < CASES else 0


sys.exit(main())
