"""Mutation tests: a test suite is worth what it catches, so every guard that is broken on purpose must be noticed."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from unittest import mock

import pytest

import process.clock
from process.settings import Settings
from publisher import supervisor
from publisher.broker_state import BrokerState
from publisher.connection import BrokerConnection
from publisher.timing import TIMING
from schemas.names import Provider
from store.sqlite_store import SqliteStore
from tests.jobs import (
    test_accepting,
    test_budget,
    test_checks,
    test_circuit,
    test_clock,
    test_clock_watch,
    test_late_truth,
    test_overdue,
    test_retry,
    test_submissions,
    test_switched_off,
    test_webhooks,
)
from tests.mutants.breaking import Mutant
from tests.mutants.mutants import IN_ONE_TEST, IN_THE_SIMULATION
from tests.mutants.overtaken import OVERTAKEN
from tests.process import test_workers
from tests.publisher import test_lease
from tests.simulation.histories import run
from tests.simulation.invariants import Broken
from tests.store import test_durability, test_grouped_writer
from tests.support.job_scenario import JobScenario
from tests.support.stores import url_of

ROOT = Path(__file__).parents[2]
SEEDS = 600
EACH_IN_ONE_TEST = {**IN_ONE_TEST, **OVERTAKEN}


def with_a_store(check: Callable[[SqliteStore], object]) -> Callable[[Path], None]:
    async def opened(path: Path) -> None:
        store = await SqliteStore.open(url_of(path))
        try:
            await check(store)  # type: ignore[misc]  # each check is a coroutine function
        finally:
            await store.close()

    return lambda path: asyncio.run(opened(path))


def strange_cancellation(_: Path) -> None:
    """Have the library cancel our wait though nobody asked for it."""

    @asynccontextmanager
    async def link(*_: object, **__: object) -> AsyncIterator[BrokerConnection]:
        raise asyncio.CancelledError
        yield

    async def unused(_: BrokerConnection) -> None:
        raise AssertionError

    async def connect() -> str | None:
        with mock.patch.object(supervisor, "link", link):
            return await supervisor._one_connection(
                Settings(), unused, name="relay", state=BrokerState(), timing=TIMING
            )

    try:
        assert asyncio.run(connect()) is not None
    except asyncio.CancelledError:
        raise AssertionError("the relay is dead, and nobody knows") from None


def asking() -> tuple[JobScenario, test_overdue.SteadyPoller]:
    desk = JobScenario()
    return desk, test_overdue.SteadyPoller(desk)


async def missed_steps() -> None:
    desk = JobScenario()
    with mock.patch.object(process.clock, "machine", return_value="machine"):
        await test_clock_watch.test_nothing_is_timed_out(desk, test_clock_watch.Wall(desk), (-3600.0, 3600.0))


def in_one_file(path: Path) -> None:
    asyncio.run(test_durability.take_turns(path))


CHECKS: dict[str, Callable[[Path], None]] = {
    "the answer that came meanwhile counts": lambda _: (
        test_webhooks.test_the_answer_that_came_meanwhile_outweighs_what_a_body_does_not_say(
            JobScenario(), test_webhooks.gives_up
        )
    ),
    "a webhook during a check counts": lambda _: (
        test_webhooks.test_at_the_very_end_of_the_wait_a_webhook_is_still_looked_at(JobScenario())
    ),
    "dropped claims are taken up": lambda _: (
        test_submissions.test_a_claim_that_its_own_living_process_dropped_is_taken_up_again(JobScenario())
    ),
    "the budget is shared": lambda _: test_budget.test_submissions_and_checks_of_any_process_draw_on_the_same_budget(
        JobScenario()
    ),
    "ones own leases are renewed before a claim": lambda _: asyncio.run(
        test_workers.test_leases_that_are_late_are_renewed_before_more_is_claimed()
    ),
    "what is paid comes first": lambda _: (
        test_budget.test_submissions_and_checks_of_any_process_draw_on_the_same_budget(JobScenario())
    ),
    "a clock that goes back refills nothing": lambda _: (
        test_budget.test_a_clock_that_goes_back_stops_nobody_and_gives_nobody_more(JobScenario())
    ),
    "only ones own leases are renewed": lambda _: test_clock.test_only_ones_own_leases_are_renewed(JobScenario()),
    "a step of the clock kills nobody": lambda _: test_clock.test_a_living_generator_is_not_declared_dead_by_a_step(
        JobScenario(), 3600.0
    ),
    "a step that another process mended is compared": lambda _: asyncio.run(missed_steps()),
    "a relay's lease that is renewed is its own": lambda _: (
        test_lease.test_it_passes_on_when_its_holder_is_dead_and_not_before_the_holder_knows(
            test_lease.publishers(), 0.0
        )
    ),
    "a check that was overtaken is dropped": lambda _: (
        test_checks.test_a_stale_owner_does_not_reschedule_what_another_one_is_asking_about(JobScenario())
    ),
    "a webhook during a check of a job counts": lambda _: (
        test_webhooks.test_a_webhook_during_a_check_brings_the_next_one_forward(JobScenario())
    ),
    "a late check that was overtaken is dropped": lambda _: (
        test_late_truth.test_a_stale_owner_of_a_late_check_does_not_reschedule_what_another_one_is_asking_about(
            JobScenario()
        )
    ),
    "providers that are away are not off": lambda _: (
        test_switched_off.test_while_generators_are_away_or_some_have_it_nothing_is_ended(JobScenario(), ())
    ),
    "throttling pauses": lambda _: test_submissions.test_being_throttled_pauses_the_provider_for_everybody(
        JobScenario()
    ),
    "a job is given up in time": lambda _: (
        test_overdue.test_a_provider_that_hangs_does_not_keep_a_job_from_being_given_up(*asking())
    ),
    "what waits for its turn is kept": lambda _: test_overdue.test_what_waits_for_its_turn_is_not_given_up(*asking()),
    "a key stands for a video": lambda _: test_accepting.test_the_same_key_and_request_give_the_same_video(
        JobScenario()
    ),
    "the watch ends": lambda _: test_late_truth.test_it_is_looked_at_ever_more_seldom_for_a_day(JobScenario()),
    "late refunds count": lambda _: (
        test_late_truth.test_a_late_failure_keeps_the_refund_that_was_told_but_the_ledger_notes_the_credit(
            JobScenario()
        )
    ),
    "nothing is given up without a look": lambda _: test_checks.test_no_job_is_given_up_without_a_last_look(
        JobScenario(), Provider("iacrea"), 60.0
    ),
    "commits come first": with_a_store(test_grouped_writer.answers_follow_the_commit),
    "commits are synced": with_a_store(test_durability.test_every_commit_is_synced),
    "what is decided is synced": with_a_store(test_durability.test_what_is_decided_is_synced_however_it_was_called),
    "handles take turns": in_one_file,
    "a failure harms only itself": with_a_store(test_grouped_writer.test_a_piece_that_fails_harms_only_itself),
    "one probe at a time": lambda _: test_circuit.test_one_attempt_at_a_time_tests_whether_it_is_back(JobScenario()),
    "waiting costs no tries": lambda _: test_circuit.test_what_waits_for_an_open_circuit_uses_up_no_tries(
        JobScenario()
    ),
    "a probe's success closes": lambda _: test_circuit.test_a_success_closes_it_for_all(JobScenario()),
    "one retry at a time": lambda _: test_retry.test_a_second_retry_gives_the_same_video_until_that_failed(
        JobScenario()
    ),
    "no risk is taken silently": lambda _: test_retry.test_a_retry_that_may_have_been_paid_makes_the_next_one_a_risk(
        JobScenario()
    ),
    "a webhook without a name ends nothing": lambda _: test_webhooks.test_a_webhook_that_names_nothing_ends_nothing(
        JobScenario(), b"{}"
    ),
    "anothers job proves nothing": lambda _: (
        test_webhooks.test_a_webhook_that_names_anothers_job_does_not_put_the_end_off(JobScenario())
    ),
    "every question has its token": lambda _: test_webhooks.test_every_further_question_is_taken_out_of_the_budget(
        JobScenario()
    ),
    "a strange cancellation is a lost link": strange_cancellation,
}


def hunt() -> None:
    """Live histories until one breaks."""
    for seed in range(SEEDS):
        run(seed)


@pytest.mark.parametrize("mutant", IN_THE_SIMULATION, ids=lambda mutant: mutant.name)
def test_the_simulation_notices_that(mutant: Mutant) -> None:
    with mutant.apply(), pytest.raises(Broken):
        hunt()


@pytest.mark.parametrize("check", EACH_IN_ONE_TEST)
def test_one_test_notices_what_breaks_that(check: str, tmp_path: Path) -> None:
    CHECKS[check](tmp_path / "sound.db")
    with EACH_IN_ONE_TEST[check].apply(), pytest.raises(Exception) as noticed:  # noqa: PT011 - however it shows
        CHECKS[check](tmp_path / "mutant.db")
    assert not isinstance(noticed.value, AttributeError | NameError)


def test_the_relays_test_notices_that_returned_events_are_not_heard_of() -> None:
    its_test = "tests/publisher/test_away.py::test_an_event_that_nothing_takes_is_kept_and_the_log_is_declared_again"
    gate = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.mutants.returns_unheard", its_test],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert "1 failed" in gate.stdout, gate.stdout + gate.stderr


RUNS_OUT = "test_a_relay_whose_lease_ran_out_between_two_windows_sends_no_more"
MARKED = "test_confirmed_events_are_marked_before_anything_is_sent_again"


@pytest.mark.parametrize(
    ("mutant", "its_test"),
    [
        ("sends_without_the_lease", RUNS_OUT),
        ("believes_its_event", RUNS_OUT),
        ("forgets_to_mark", MARKED),
    ],
)
def test_the_relays_test_notices_a_guard_taken_out(mutant: str, its_test: str) -> None:
    gate = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.mutants.relay_unguarded",
         f"tests/publisher/test_turns.py::{its_test}"],
        check=False, cwd=ROOT, capture_output=True, text=True, timeout=240,
        env={**os.environ, "REELBUS_TEST_MUTANT": mutant},
    )  # fmt: skip
    assert "1 failed" in gate.stdout, gate.stdout + gate.stderr
