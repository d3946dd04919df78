"""A webhook says when to ask, never what happened; only its naming a job that the provider confirms proves anything."""

from collections.abc import Callable

import pytest

from jobs import budget, check_claims, submit, timeline, unconfirmed
from providers.reports import Handle, Unavailable, WebhookHint, Working
from schemas.names import DetectedBy, ErrorCode
from store import attempts
from store import webhooks as stored_webhooks
from store.attempts import AttemptRow, AttemptState
from store.transaction import Signal, Tx
from store.webhooks import Delivery
from tests.support.job_scenario import CLIP, FAILED, POLLER, READY, START, JobScenario

TRUE_JOB = "11111111-2222-3333-4444-555555555555"


def confirm_job(desk: JobScenario, claimed: AttemptRow, report: object = READY, *, owner: str = POLLER) -> None:
    desk.do(unconfirmed.confirm_job, desk.policy, claimed, Handle(TRUE_JOB), report, owner=owner, now=desk.now)  # type: ignore[arg-type]  # any report will do


def keep_waiting(desk: JobScenario, claimed: AttemptRow, *, named: int = 0) -> None:
    asked = min(named, 2)
    desk.do(unconfirmed.keep_waiting, desk.policy, claimed, owner=POLLER, named=named, asked=asked, now=desk.now)


def test_a_webhook_makes_the_check_due_now_and_is_credited_with_the_end(desk: JobScenario) -> None:
    attempt = desk.generating()
    assert desk.due() == []
    desk.now += 5
    desk.webhook(attempt)

    [claimed] = desk.due()
    desk.learn(claimed, READY)
    assert (desk.video(attempt).status, desk.video(attempt).detected_by) == ("ready", DetectedBy.WEBHOOK)


def test_without_a_webhook_the_poll_finds_the_end_and_is_credited(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.checked(attempt, READY)
    assert desk.now == attempt.accepted_at + desk.policy.webhook_grace  # type: ignore[operator]  # it was accepted
    assert desk.video(attempt).detected_by is DetectedBy.POLL


def test_the_poll_after_a_webhook_that_found_nothing_gets_the_credit(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.now += 1
    desk.webhook(attempt)
    desk.now += 0.01
    desk.checked(attempt, Working())
    desk.checked(attempt, READY)
    assert desk.video(attempt).detected_by is DetectedBy.POLL


def test_a_webhook_before_the_answer_is_kept_and_acted_on_with_the_answer(desk: JobScenario) -> None:
    attempt = desk.sending()
    desk.webhook(attempt)
    assert desk.due() == []

    desk.accept(attempt)
    [claimed] = desk.due()
    desk.learn(claimed, READY)
    assert desk.video(attempt).detected_by is DetectedBy.WEBHOOK
    assert desk.told(attempt) == ["submitted", "ready"]


def test_a_thousand_webhooks_make_one_check_in_each_shortest_interval(desk: JobScenario) -> None:
    attempt = desk.generating()
    began, asked = desk.now, 0
    while desk.now < began + 10:
        desk.webhook(attempt)
        for claimed in desk.due():
            asked += 1
            desk.learn(claimed, Working())
        desk.now += 0.01
    assert asked <= 10 / desk.policy.poll_min + 1


def test_a_webhook_after_the_end_changes_nothing(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.checked(attempt, FAILED)
    before = desk.video(attempt)
    desk.webhook(attempt)
    desk.now += 1000
    assert desk.due() == []
    assert desk.video(attempt) == before


def test_a_webhook_for_nothing_we_know_is_handled_and_forgotten(desk: JobScenario) -> None:
    desk.do(stored_webhooks.record, [Delivery("no such attempt", None, 70_000, None)], now=desk.now)
    assert len(desk.do(stored_webhooks.unhandled, limit=10)) == 1
    assert desk.due() == []
    assert desk.do(stored_webhooks.unhandled, limit=10) == []


def test_more_webhooks_than_are_handed_over_at_once_all_arrive(desk: JobScenario) -> None:
    attempt = desk.generating()
    flood = [Delivery("no such attempt", None, 70_000, None)] * check_claims.HANDED_OVER_AT_ONCE
    desk.do(stored_webhooks.record, [*flood, Delivery(attempt.id, b"{}", 2, None)], now=desk.now)
    tx = Tx(desk.connection)
    assert check_claims.claim(tx, desk.policy, attempt.provider, owner=POLLER, room=1, now=desk.now).work == []
    assert Signal.CHECKS in tx.signals
    assert [claimed.id for claimed in desk.due()] == [attempt.id]


def test_a_webhook_that_finds_the_job_unfinished_starts_polling_at_once(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.now += 3
    desk.webhook(attempt)
    desk.checked(attempt, Working())
    due_at = desk.current(attempt).due_at
    assert due_at == desk.now + desk.policy.poll_min


def test_a_webhook_during_a_check_brings_the_next_one_forward(desk: JobScenario) -> None:
    attempt = desk.generating()
    for _ in range(8):
        desk.checked(attempt, Working())
    claimed = desk.wait_until_due(attempt)
    desk.now += 1
    desk.webhook(attempt)
    desk.now += 1
    desk.learn(claimed, Working())
    assert desk.current(attempt).due_at == desk.now + desk.policy.poll_min


def test_a_webhook_during_a_check_does_not_overrule_retry_after(desk: JobScenario) -> None:
    attempt = desk.generating()
    claimed = desk.wait_until_due(attempt)
    desk.webhook(attempt)
    desk.learn(claimed, Unavailable("503", retry_after=60))
    assert desk.current(attempt).due_at == desk.now + 60


def test_a_webhook_during_a_late_check_brings_the_next_one_forward(desk: JobScenario) -> None:
    attempt = desk.timed_out()
    claimed = desk.wait_until_due(attempt)
    desk.webhook(attempt)
    desk.learn(claimed, Working())
    assert desk.current(attempt).due_at == desk.now + desk.policy.poll_min


def test_a_webhook_while_its_absence_was_noted_is_not_slept_through(desk: JobScenario) -> None:
    attempt = desk.unconfirmed()
    desk.now += 1
    desk.webhook(attempt)
    [claimed] = desk.due()
    desk.now += 5
    desk.webhook(attempt, b"a second one, while the first was looked at")
    keep_waiting(desk, claimed)
    assert (desk.current(attempt).due_at or 0) <= desk.now + desk.policy.poll_min


def test_at_the_very_end_of_the_wait_a_webhook_is_still_looked_at(desk: JobScenario) -> None:
    attempt = desk.unconfirmed()
    claimed = desk.wait_until_due(attempt)
    desk.webhook(attempt)
    keep_waiting(desk, claimed)
    assert desk.current(attempt).state is AttemptState.UNCONFIRMED
    assert (desk.current(attempt).due_at or 0) <= desk.now + desk.policy.poll_min


def test_a_webhook_that_names_a_confirmed_job_proves_the_acceptance(desk: JobScenario) -> None:
    attempt = desk.unconfirmed()
    desk.webhook(attempt)
    [claimed] = desk.due()
    confirm_job(desk, claimed, Working())

    video = desk.video(attempt)
    assert (video.status, video.provider_job_id) == ("generating", TRUE_JOB)
    assert desk.told(attempt) == ["submitted"]
    assert (desk.credits().spent, desk.credits().unknown) == (1, 0)
    desk.checked(attempt, READY)
    assert desk.told(attempt) == ["submitted", "ready"]


@pytest.mark.parametrize(("report", "end"), [(READY, "ready"), (FAILED, "failed")])
def test_the_proof_may_be_the_end_too(desk: JobScenario, report: object, end: str) -> None:
    attempt = desk.unconfirmed()
    desk.webhook(attempt)
    [claimed] = desk.due()
    confirm_job(desk, claimed, report)
    assert desk.told(attempt) == ["submitted", end]
    assert desk.video(attempt).detected_by is DetectedBy.WEBHOOK


def test_a_proof_that_comes_second_disturbs_nothing(desk: JobScenario) -> None:
    attempt = desk.unconfirmed()
    desk.webhook(attempt)
    [claimed] = desk.due()
    confirm_job(desk, claimed, FAILED)
    settled = desk.current(attempt)

    confirm_job(desk, claimed, READY, owner="poller-2")
    assert desk.told(attempt) == ["submitted", "failed"]
    assert desk.current(attempt) == settled


def test_a_job_belongs_to_one_attempt_however_many_webhooks_name_it(desk: JobScenario) -> None:
    first, second = desk.unconfirmed(), desk.unconfirmed()
    desk.webhook(first)
    desk.webhook(second)
    claimed = {row.id: row for row in desk.due()}
    assert desk.do(unconfirmed.unclaimed_ids, claimed[second.id], [TRUE_JOB]) == [TRUE_JOB]

    confirm_job(desk, claimed[first.id])
    confirm_job(desk, claimed[second.id])
    assert desk.video(first).status == "ready"
    assert desk.video(second).provider_job_id is None
    assert desk.do(unconfirmed.unclaimed_ids, claimed[second.id], [TRUE_JOB, "another"]) == ["another"]


def test_a_webhook_that_names_anothers_job_does_not_put_the_end_off(desk: JobScenario) -> None:
    first, second = desk.unconfirmed(), desk.unconfirmed()
    desk.webhook(first)
    [claimed] = [row for row in desk.due() if row.id == first.id]
    confirm_job(desk, claimed)
    desk.now += desk.policy.confirm_wait + 1
    confirm_job(desk, desk.wait_until_due(second))
    assert (desk.video(second).status, desk.told(second)) == ("failed", ["failed"])


def test_each_body_names_two_jobs_at_most() -> None:
    hints = [WebhookHint(tuple(f"{body}-{number}" for number in range(8)), ()) for body in range(3)]
    assert unconfirmed.named(hints) == ["0-0", "0-1", "1-0", "1-1", "2-0", "2-1"]


def test_each_look_asks_about_two_jobs_and_in_a_while_about_all_ever_more_seldom(desk: JobScenario) -> None:
    desk.under(poll_min=1, poll_max=8)
    attempt = desk.unconfirmed()
    named = [f"job-{number}" for number in range(5)]
    looks: list[tuple[float, list[str]]] = []
    desk.webhook(attempt)
    while desk.now < START + desk.policy.confirm_wait - 10:
        claimed = desk.wait_until_due(attempt)
        looks.append((desk.now, unconfirmed.in_turn(claimed, desk.do(unconfirmed.unclaimed_ids, claimed, named))))
        keep_waiting(desk, claimed, named=5)
    assert all(len(asked) == 2 for _, asked in looks)
    assert {job for _, asked in looks[:3] for job in asked} == set(named)
    assert [at - START for at, _ in looks[:5]] == [0, 1, 2, 3, 5]
    assert len(looks) < 50


def test_every_further_question_is_taken_out_of_the_budget(desk: JobScenario) -> None:
    attempt = desk.unconfirmed()
    full = int(desk.do(budget.allowance, desk.policy, attempt.provider, now=desk.now).requests)
    asked = sum(desk.do(unconfirmed.may_ask, desk.policy, attempt.provider, now=desk.now) for _ in range(2 * full))
    assert asked == full


@pytest.mark.parametrize("body", [b"", b"{}", b"rubbish", b'{"status": "FAILED"}'])
def test_a_webhook_that_names_nothing_ends_nothing(desk: JobScenario, body: bytes) -> None:
    attempt = desk.unconfirmed()
    for _ in range(10):
        desk.now += 5
        desk.webhook(attempt, body)
        for claimed in desk.due():
            keep_waiting(desk, claimed)
    assert desk.current(attempt).state is AttemptState.UNCONFIRMED
    desk.now = START + desk.policy.confirm_wait
    keep_waiting(desk, desk.wait_until_due(attempt))
    assert desk.told(attempt) == ["failed"]
    assert desk.now < START + desk.policy.confirm_wait + desk.policy.poll_max


def test_a_flood_without_bodies_hides_none_that_names_a_job(desk: JobScenario) -> None:
    attempt = desk.unconfirmed()
    desk.webhook(attempt, b"the one that tells")
    desk.do(stored_webhooks.record, [Delivery(attempt.id, None, 70_000, None)] * 200, now=desk.now)
    assert [kept.body for kept in desk.do(unconfirmed.telling, attempt.id)] == [b"the one that tells"]


def test_without_proof_the_wait_ends_as_unknown(desk: JobScenario) -> None:
    attempt = desk.unconfirmed()
    keep_waiting(desk, desk.wait_until_due(attempt))

    error = desk.video(attempt).error
    assert error is not None
    assert error.code is ErrorCode.SUBMISSION_UNKNOWN
    assert "no answer came" in error.message
    assert desk.credits().unknown == 1


def test_a_job_named_but_not_confirmed_yet_is_asked_about_again_soon(desk: JobScenario) -> None:
    attempt = desk.unconfirmed()
    desk.webhook(attempt)
    [claimed] = desk.due()
    keep_waiting(desk, claimed, named=1)
    assert desk.current(attempt).due_at == desk.now + desk.policy.poll_min


Ignorance = Callable[[JobScenario, AttemptRow], None]


def gives_up(desk: JobScenario, claimed: AttemptRow) -> None:
    desk.do(unconfirmed.fail_unconfirmed, desk.policy, claimed, "it names nothing", now=desk.now)


def ends_the_wait(desk: JobScenario, claimed: AttemptRow) -> None:
    desk.now += desk.policy.confirm_wait
    keep_waiting(desk, claimed)


def believes_the_body(desk: JobScenario, claimed: AttemptRow) -> None:
    desk.do(unconfirmed.accept_unverified, desk.policy, claimed, ("https://evil.example/v.mp4",), now=desk.now)


@pytest.mark.parametrize("ignorance", [gives_up, ends_the_wait, believes_the_body])
def test_the_answer_that_came_meanwhile_outweighs_what_a_body_does_not_say(
    desk: JobScenario, ignorance: Ignorance
) -> None:
    attempt = desk.unconfirmed()
    desk.webhook(attempt)
    [claimed] = desk.due()
    desk.accept(attempt, job="job-9")
    ignorance(desk, claimed)

    assert (desk.video(attempt).status, desk.video(attempt).provider_job_id) == ("generating", "job-9")
    assert desk.told(attempt) == ["submitted"]


def test_where_the_operator_trusts_bodies_one_that_says_success_is_believed(desk: JobScenario) -> None:
    attempt = desk.unconfirmed()
    desk.webhook(attempt)
    [claimed] = desk.due()
    desk.do(unconfirmed.accept_unverified, desk.policy, claimed, (CLIP,), now=desk.now)

    video = desk.video(attempt)
    assert (video.status, video.output_urls, video.provider_job_id) == ("ready", [CLIP], None)
    assert (video.detected_by, desk.told(attempt)) == (DetectedBy.WEBHOOK, ["submitted", "ready"])
    assert desk.credits().spent == 1


def test_the_body_is_kept_and_shown_in_the_timeline(desk: JobScenario) -> None:
    attempt = desk.generating()
    desk.webhook(attempt, b'{"status": "SUCCEEDED"}')
    told = desk.do(timeline.of_video, attempt.video_id, now=desk.now)
    assert told is not None
    assert '{"status": "SUCCEEDED"}' in [entry.detail for entry in told.items]


@pytest.mark.parametrize("step", [check_claims.release, submit.release])
def test_giving_back_what_is_not_ours_does_nothing(desk: JobScenario, step: Callable[..., None]) -> None:
    attempt = desk.generating()
    before = desk.current(attempt)
    what = attempt if step is check_claims.release else attempt.id
    desk.do(step, what, owner="somebody else", now=desk.now)
    assert desk.do(attempts.get, attempt.id) == before


@pytest.mark.parametrize("until", [JobScenario.generating, JobScenario.timed_out, JobScenario.unconfirmed])
def test_what_was_claimed_but_not_asked_about_is_due_again_at_once(
    desk: JobScenario, until: Callable[[JobScenario], AttemptRow]
) -> None:
    claimed = desk.wait_until_due(until(desk))
    assert desk.due(owner="poller-2") == []
    desk.do(check_claims.release, claimed, owner=POLLER, now=desk.now)
    assert [row.id for row in desk.due(owner="poller-2")] == [claimed.id]
