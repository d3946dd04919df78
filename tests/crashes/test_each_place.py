"""What becomes of a video whose service dies at a place depends on the place alone, and is always told truthfully.

Here everything runs in one process. Whoever starts next finds what the dead one left.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from process.failpoints import POINTS
from tests.crashes.conftest import SetStage
from tests.crashes.scenario import Death
from tests.support.gallery import gallery
from tests.support.postgres import Postgres

ROOT = Path(__file__).parents[2]
ROOMS = ("intake", "receiver", "generator", "poller", "publisher")
IACREA, HOMEDESIGNS = "iacrea", "homedesigns"
READY, UNKNOWN = "ready", "submission_unknown"

PLACES = {
    "generator": [
        ("routed", IACREA, READY, 1),
        ("claimed", IACREA, READY, 1),
        ("claimed", HOMEDESIGNS, READY, 1),
        ("intent written", IACREA, UNKNOWN, 0),
        ("intent written", HOMEDESIGNS, UNKNOWN, 0),
        ("answer read", IACREA, READY, 1),
        ("answer read", HOMEDESIGNS, UNKNOWN, 1),
        ("acceptance recorded", HOMEDESIGNS, READY, 1),
    ],
    "elsewhere": [
        ("picture stored", HOMEDESIGNS, READY, 1),
        ("accepted", IACREA, READY, 1),
        ("webhook recorded", IACREA, READY, 1),
        ("check claimed", IACREA, READY, 1),
        ("look answered", HOMEDESIGNS, READY, 1),
        ("result proven", HOMEDESIGNS, READY, 1),
        ("settled", HOMEDESIGNS, READY, 1),
        ("relayed", HOMEDESIGNS, READY, 1),
        ("confirmed", IACREA, READY, 1),
        ("marked", HOMEDESIGNS, READY, 1),
    ],
}
"""Where it dies, for which provider's video, how that ends, and how often it is paid for."""


BEHIND_A_COMMIT = {
    "intent written",
    "acceptance recorded",
    "picture stored",
    "accepted",
    "webhook recorded",
    "check claimed",
    "settled",
    "marked",
}
"""The places right behind a commit, which are tried over PostgreSQL too."""

Case = tuple[str, str, str, int]


@pytest.mark.timeout(480)
@pytest.mark.parametrize("where", PLACES)
async def test_a_service_that_dies_at_a_place_ends_its_video_once_and_pays_once(
    where: str, set_stage: SetStage
) -> None:
    assert await _tried(set_stage, PLACES[where]) == []


@pytest.mark.timeout(480)
async def test_a_service_over_postgresql_that_dies_behind_a_commit_does_so_too(
    set_stage: SetStage, postgres: Postgres
) -> None:
    behind = [case for cases in PLACES.values() for case in cases if case[0] in BEHIND_A_COMMIT]
    assert {place for place, *_ in behind} == BEHIND_A_COMMIT

    def store() -> dict[str, str]:
        return {"REELBUS_DATABASE_URL": postgres.new(migrated=True)}

    assert await _tried(set_stage, behind, store) == []


async def _tried(set_stage: SetStage, cases: Sequence[Case], store: Callable[[], dict[str, str]] = dict) -> list[str]:
    """Let a service die in each case, with a store of its own; say what was wrong."""
    async with set_stage("weights") as first:
        weights = {"provider": "iacrea", "weights": {"webhook-names-generation": 1}}
        (await first.sandbox.http.post("/sandbox/behaviours", json=weights)).raise_for_status()
    turn = asyncio.Semaphore(3)
    # The pictures are elsewhere, for a provider that cannot fetch one from a dead service lets its video fail.
    async with gallery() as pictures:
        found = await asyncio.gather(
            *(_case(set_stage, turn, pictures, number, case, store()) for number, case in enumerate(cases))
        )
    return [line for line in found if line]


async def _case(
    set_stage: SetStage, turn: asyncio.Semaphore, pictures: str, number: int, case: Case, env: dict[str, str]
) -> str | None:
    """Let a service die at a place, start it again, and say what is wrong with how it ended, if anything."""
    death = Death(*case)
    async with set_stage(f"{death.place}-{death.provider}", **env) as on:
        async with turn:
            video_id = await death.come_back(on, number, pictures)
        return await death.wrong(on, number, video_id)


def test_each_place_is_reached_by_exactly_one_line_of_the_product() -> None:
    lines = [
        line for room in ROOMS for module in (ROOT / room).rglob("*.py") for line in module.read_text().splitlines()
    ]
    reached = Counter(name for line in lines for name in re.findall(r'\bfailpoint(?:_now)?\("([^"]+)"\)', line))
    assert reached == dict.fromkeys(POINTS, 1)


def test_the_documentation_says_what_follows_a_death_at_each_place() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text()
    table = page.partition("| dies when |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)) == POINTS


def test_a_death_at_each_place_is_tried() -> None:
    elsewhere = {"command accepted", "cancel answered", "lookup answered"}
    assert {place for cases in PLACES.values() for place, *_ in cases} == POINTS - elsewhere
