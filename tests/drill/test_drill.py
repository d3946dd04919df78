"""The drill itself: one scenario is carried out, and the page has the others as they were carried out last."""

from pathlib import Path

import pytest

from tests.deploy.test_monitoring import RULES
from tests.drill.__main__ import drill
from tests.drill.report import PAGE, faults, table
from tests.drill.run import Outcome
from tests.drill.scenarios import SCENARIOS, Scenario

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
