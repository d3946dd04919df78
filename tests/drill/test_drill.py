"""The drill itself: one scenario is carried out, and the page has the others as they were carried out last."""

from contextlib import suppress
from pathlib import Path

import pytest

from tests.deploy.test_monitoring import RULES
from tests.drill.__main__ import drill
from tests.drill.prometheus import Prometheus
from tests.drill.report import PAGE, faults, rewritten, table
from tests.drill.run import Outcome
from tests.drill.scenarios import SCENARIOS, Scenario
from tests.support.ports import free_port

POISON = SCENARIOS[-1]


@pytest.mark.timeout(400)
def test_a_poison_command_is_told_within_30_seconds_and_nothing_else_is(tmp_path: Path) -> None:
    outcomes = drill([POISON], tmp_path, print)
    assert faults(outcomes) == [], table(outcomes)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_each_scenario_is_told_by_an_alert_that_exists_and_is_on_the_page(scenario: Scenario) -> None:
    alerts = {str(rule["alert"]) for rule in RULES}
    named = {sign.removeprefix("alert ") for sign in scenario.tells | scenario.may_tell if sign.startswith("alert ")}
    assert named <= alerts
    assert any(sign.startswith("alert ") for sign in scenario.tells)
    [row] = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| {scenario.name} |")]
    assert scenario.mend in row


def test_what_tells_too_late_wrongly_or_not_at_all_fails_the_drill() -> None:
    told = {"log command parked": 1.0, "alert ReelbusDeadCommands": 31.0, "alert ReelbusBrokerDown": 2.0}
    found = faults([Outcome(POISON, calm={"tile store"}, told=told)])
    assert found == [
        "poison command: tile store was told while all was well",
        "poison command: alert ReelbusDeadCommands did not tell within 30 s",
        "poison command: tile commands did not tell within 30 s",
        "poison command: alert ReelbusBrokerDown was told wrongly",
        "poison command: the service did not work again after the mend",
    ]


def _commands_that_name(folder: Path) -> list[bytes]:
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(file.read_bytes())
    return [command for command in found if str(folder).encode() in command]


async def test_a_prometheus_that_sees_nothing_leaves_no_process_behind(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="first scrape"):
        await Prometheus.start(tmp_path / "prometheus", {"receiver": free_port()}, within=3)

    assert not _commands_that_name(tmp_path)


def test_one_scenario_that_is_drilled_again_leaves_the_other_rows_alone() -> None:
    page = PAGE.read_text()
    again = Outcome(POISON, told={"log command parked": 7.0, "alert ReelbusDeadCommands": 9.0}, works_again=3.0)

    changed = [
        (old, new)
        for old, new in zip(page.splitlines(), rewritten(page, [again]).splitlines(), strict=True)
        if old != new
    ]
    [(old, new)] = changed
    assert old.startswith("| poison command | ")
    assert "log `command parked` 7 s | `ReelbusDeadCommands` 9 s" in new
