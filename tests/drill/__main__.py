"""Break the service in each way that its operators must know of, and time what tells.

Exit status 1 if something did not tell within 30 seconds, was told wrongly, or did not work again after its mend.
About ten minutes; everything is on loopback and ends by itself.
"""

import argparse
import asyncio
import logging
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from sandbox.broker.node import Node
from tests.drill.report import faults, table, write_page
from tests.drill.run import Outcome, Say, carry_out
from tests.drill.scenarios import SCENARIOS, Scenario


def main() -> int:
    """Run as the command line says."""
    given = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="reelbus-drill-"))
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", flush=True)

    chosen = [each for each in SCENARIOS if given.only in {None, each.name}]
    outcomes = drill(chosen, folder, say)
    print("\n" + table(outcomes))
    if given.write:
        write_page(outcomes)
    found = faults(outcomes)
    print("\n".join(found or ["everything told in time, and nothing was told wrongly"]))
    if not found:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"logs in {folder}")
    return 1 if found else 0


def drill(scenarios: list[Scenario], folder: Path, say: Say) -> list[Outcome]:
    """Do scenarios one after the other, with one broker for all."""
    for name in ("aiormq", "aio_pika"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # the broker goes away on purpose
    node = Node(folder / "broker")
    node.start(owner=os.getpid())
    outcomes = []
    try:
        for number, scenario in enumerate(scenarios):
            outcomes.append(asyncio.run(carry_out(scenario, _made(folder / str(number)), node, say)))
            say("\n" + table(outcomes[-1:]) + "\n".join(faults(outcomes[-1:])))
    finally:
        node.stop(now=True)
    return outcomes


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.drill", description=__doc__)
    parser.add_argument("--only", choices=[each.name for each in SCENARIOS], help="one scenario instead of all")
    parser.add_argument("--write", action="store_true", help="write the table into docs/operating.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
