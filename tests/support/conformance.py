"""Have a running receiver asked with requests generated from its own OpenAPI document."""

import asyncio
import re
import sys
from dataclasses import dataclass
from pathlib import Path

KEY = "a key of the tests"


@dataclass(frozen=True, slots=True)
class Conformance:
    """What became of it: how many requests were made, and the report where something was wrong."""

    cases: int
    wrong: str | None


async def conform(url: str, folder: Path, *, examples: int, seed: int) -> Conformance:
    """Generate requests for every route but the endless one, and hold each answer against the document.

    Every check is made but one: that all a schema allows is accepted. A schema cannot say which texts are the
    Base64 of a picture, nor which addresses are public.
    """
    child = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "st"),
        "run",
        f"{url}/openapi.json",
        *("--header", f"Authorization: Bearer {KEY}"),
        *("--checks", "all"),
        *("--exclude-checks", "positive_data_acceptance"),
        *("--exclude-path", "/v1/events"),
        *("--max-examples", str(examples)),
        *("--seed", str(seed)),
        *("--request-timeout", "5"),
        *("--generation-database", "none"),
        "--no-color",
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await child.communicate()
    report = output.decode(errors="replace")
    counted = re.search(r"(\d+) generated", report)
    cases = int(counted[1]) if counted else 0
    return Conformance(cases, None if child.returncode == 0 and cases else report)
