"""A request that may have left is never sent again; what certainly was not taken is tried later, and not for ever."""

import pytest

from jobs import submission_claims, submit
from jobs.schedule import retry_delay
from providers.reports import Failed, NotAcceptedYet, Ready, Refused
from schemas.names import PROVIDERS, ErrorCode, Provider, RefundStatus
from store import attempt_leases, providers
from store.attempts import AttemptRow, AttemptState
from tests.support.job_scenario import CLIP, FAILED, GENERATOR, READY, START, JobScenario

IACREA, HOMEDESIGNS = Provider("iacrea"), Provider("homedesigns")
OTHER = "generator-2"


def claim(desk: JobScenario, provider: Provider = IACREA, *, owner: str = OTHER) -> list[AttemptRow]:
    dead = desk.dead(provider)
    found = desk.do(submission_claims.claim, desk.policy, provider, owner=owner, room=10, now=desk.now, dead=dead)
    return [attempt for attempt, _ in found.work]


def not_taken(desk: JobScenario, attempt: AttemptRow, answer: NotAcceptedYet) -> None:
    desk.do(submit.not_accepted, desk.policy, attempt, answer, owner=GENERATOR, now=desk.now)


def send(desk: JobScenario, attempt: AttemptRow, owner: str = GENERATOR) -> bool:
    return desk.do(submit.send, attempt.id, owner=owner, now=desk.now)


def test_what_was_only_claimed_by_a_dead_process_is_taken_over(desk: JobScenario) -> None:
    attempt = desk.claimed()
    assert claim(desk) == []

    desk.now += 10
    assert [taken.id for taken in claim(desk)] == [attempt.id]


def test_a_stale_owner_may_not_send_any_more(desk: JobScenario) -> None:
    attempt = desk.claimed()
    desk.now += 10
    claim(desk)

    assert not send(desk, attempt)
    assert send(desk, attempt, OTHER)
    assert not send(desk, attempt, OTHER)


def test_a_renewed_lease_is_not_taken_over(desk: JobScenario) -> None:
    attempt = desk.claimed()
    for _ in range(4):
        desk.now += 8
        desk.do(attempt_leases.renew_leases, [attempt.id], owner=GENERATOR, until=desk.now + 10)
        assert claim(desk) == []
    assert send(desk, attempt)


@pytest.mark.parametrize(
    ("provider", "state"), [(IACREA, AttemptState.UNCONFIRMED), (HOMEDESIGNS, AttemptState.FAILED)]
)
def test_what_a_dead_process_may_have_sent_is_never_sent_again(
    desk: JobScenario, provider: Provider, state: AttemptState
) -> None:
    attempt = desk.sending(provider)
    assert claim(desk, provider) == []
    assert desk.current(attempt).state is AttemptState.SENDING

    for _ in range(20):
        desk.now += 10
        assert claim(desk, provider) == []
        assert not send(desk, attempt)
        assert not send(desk, attempt, OTHER)
    assert desk.current(attempt).state is state


def test_an_unknown_outcome_fails_at_once_with_homedesigns_and_waits_with_iacrea(desk: JobScenario) -> None:
    certain = desk.sending(HOMEDESIGNS)
    desk.do(submit.mark_outcome_unknown, desk.policy, certain, "502", now=desk.now)
    shown = desk.shown(certain)
    assert shown.error is not None
    assert (shown.status, shown.error.code) == ("failed", ErrorCode.SUBMISSION_UNKNOWN)

    waiting = desk.unconfirmed()
    assert (desk.video(waiting).status, desk.shown(waiting).status) == ("submitting", "submitting")
    assert desk.current(waiting).due_at == desk.now + desk.policy.confirm_wait


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_was_given_back_is_not_declared_lost_by_the_one_who_gave_it_back(
    desk: JobScenario, provider: Provider
) -> None:
    attempt = desk.claimed(provider)

    desk.do(submit.release, attempt.id, owner=GENERATOR, now=desk.now)
    desk.do(submit.mark_outcome_unknown, desk.policy, attempt, "the service was stopped", now=desk.now)

    assert desk.current(attempt).state is AttemptState.WAITING
    assert [taken.id for taken in claim(desk, provider)] == [attempt.id]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nobody_declares_lost_what_another_owner_is_sending(desk: JobScenario, provider: Provider) -> None:
    attempt = desk.claimed(provider)
    desk.now += 10
    claim(desk, provider)
    assert send(desk, attempt, OTHER)

    desk.do(submit.mark_outcome_unknown, desk.policy, attempt, "the service was stopped", owner=GENERATOR, now=desk.now)

    assert desk.current(attempt).state is AttemptState.SENDING


def test_the_answer_counts_even_after_the_attempt_was_declared_lost(desk: JobScenario) -> None:
    attempt = desk.sending()
    desk.now += 10
    claim(desk)
    desk.accept(attempt, job="job-9")

    video = desk.video(attempt)
    assert (video.status, video.provider_job_id) == ("generating", "job-9")
    assert desk.told(attempt) == ["submitted"]
    assert (desk.credits().spent, desk.credits().unknown) == (1, 0)


def test_an_answer_after_the_video_failed_is_kept_so_that_the_result_is_found_late(desk: JobScenario) -> None:
    attempt = desk.sending(HOMEDESIGNS)
    desk.now += 10
    claim(desk, HOMEDESIGNS)
    before = desk.credits(HOMEDESIGNS)
    desk.accept(attempt, job="job-9")
    after = desk.credits(HOMEDESIGNS)

    assert ((before.spent, before.unknown), (after.spent, after.unknown)) == ((0, 1), (1, 0))
    assert desk.video(attempt).status == "failed"
    desk.checked(attempt, READY)
    assert desk.told(attempt) == ["failed", "late"]


@pytest.mark.parametrize(("finished", "told"), [(READY, ["failed", "late"]), (FAILED, ["failed"])])
def test_a_finished_answer_after_the_video_failed_leaves_nothing_to_ask_about(
    desk: JobScenario, finished: Ready | Failed, told: list[str]
) -> None:
    attempt = desk.sending(HOMEDESIGNS)
    desk.now += 10
    claim(desk, HOMEDESIGNS)
    desk.accept(attempt, job=None, finished=finished)

    assert desk.told(attempt) == told
    assert desk.current(attempt).due_at is None
    assert desk.shown(attempt).output_urls == ([CLIP] if finished == READY else [])


def test_an_answer_may_be_told_twice_and_counts_once(desk: JobScenario) -> None:
    attempt = desk.generating(remaining=9)
    desk.accept(attempt, remaining=9)
    assert desk.told(attempt) == ["submitted"]
    assert desk.credits().spent == 1


@pytest.mark.parametrize("finished", [READY, FAILED])
def test_a_provider_may_answer_with_the_end_itself(desk: JobScenario, finished: Ready | Failed) -> None:
    attempt = desk.sending(HOMEDESIGNS)
    desk.accept(attempt, job=None, finished=finished)
    assert desk.told(attempt) == ["submitted", "ready" if finished == READY else "failed"]


@pytest.mark.parametrize(("provider", "end"), [(IACREA, []), (HOMEDESIGNS, ["failed"])])
def test_a_job_that_belongs_to_another_video_is_not_taken_for_ones_own(
    desk: JobScenario, provider: Provider, end: list[str]
) -> None:
    first = desk.generating(provider, job="job-1")
    second = desk.sending(provider)
    desk.accept(second, job="job-1")

    assert desk.current(second).provider_job_id is None
    assert desk.told(second) == end
    assert desk.told(first) == ["submitted"]
    assert desk.credits(provider).spent == 1


def test_each_try_waits_twice_as_long_and_the_last_one_fails(desk: JobScenario) -> None:
    attempt = desk.sending()
    waits = []
    for _ in range(desk.policy.submit_attempts - 1):
        not_taken(desk, desk.current(attempt), NotAcceptedYet("503"))
        due_at = desk.current(attempt).due_at or 0
        waits.append(due_at - desk.now)
        desk.now = due_at
        [again] = claim(desk, owner=GENERATOR)
        assert send(desk, again)
    not_taken(desk, desk.current(attempt), NotAcceptedYet("503"))

    assert waits == [1, 2, 4, 8, 16, 32] + [60] * 13
    assert 13 * 60 < sum(waits) < 17 * 60
    error = desk.video(attempt).error
    assert error is not None
    assert error.code is ErrorCode.PROVIDER_UNAVAILABLE
    assert desk.video(attempt).attempts[0].refund is not None
    assert desk.told(attempt) == ["failed"]


def test_nothing_is_tried_before_its_time(desk: JobScenario) -> None:
    not_taken(desk, desk.sending(), NotAcceptedYet("503", retry_after=30))
    desk.now += 29.9
    assert claim(desk) == []
    desk.now += 0.1
    assert len(claim(desk)) == 1


@pytest.mark.parametrize(
    ("tries", "retry_after", "wait"),
    [(1, None, 1), (3, None, 4), (1, 30, 30), (5, 2, 16), (1, 0, 1), (7, None, 60), (20, None, 60), (9, 300, 300)],
)
def test_retry_after_is_obeyed_where_it_asks_for_more_than_the_backoff(
    tries: int, retry_after: float | None, wait: float
) -> None:
    assert retry_delay(tries, retry_after) == wait


def test_being_throttled_pauses_the_provider_for_everybody(desk: JobScenario) -> None:
    first = desk.sending()
    desk.routed()
    not_taken(desk, first, NotAcceptedYet("429", retry_after=20, throttled=True))

    assert claim(desk) == []
    desk.now += 20
    assert len(claim(desk)) == 2


def test_a_limit_uses_up_no_try_however_often_it_is_met(desk: JobScenario) -> None:
    attempt = desk.sending(HOMEDESIGNS)
    for _ in range(3 * desk.policy.submit_attempts // 2):
        not_taken(desk, attempt, NotAcceptedYet("1303", retry_after=1, throttled=True))
        waiting = desk.current(attempt)
        assert (waiting.state, waiting.tries) == (AttemptState.WAITING, 0)
        desk.now = (waiting.due_at or 0) + 1
        [attempt] = claim(desk, HOMEDESIGNS, owner=GENERATOR)
        assert send(desk, attempt)


def test_the_pauses_at_a_limit_grow_and_end_with_the_deadline(desk: JobScenario) -> None:
    attempt = desk.sending(HOMEDESIGNS)
    pauses = []
    while desk.current(attempt).state is AttemptState.SENDING:
        not_taken(desk, attempt, NotAcceptedYet("1303", throttled=True))
        waiting = desk.current(attempt)
        if waiting.state is AttemptState.WAITING:
            pauses.append((waiting.due_at or 0) - desk.now)
            desk.now = waiting.due_at or 0
            [attempt] = claim(desk, HOMEDESIGNS, owner=GENERATOR)
            assert send(desk, attempt)

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1, 60)
    assert desk.now - START <= desk.policy.submit_deadline
    shown = desk.shown(attempt)
    assert shown.error is not None
    assert shown.error.code is ErrorCode.PROVIDER_UNAVAILABLE
    assert "for a limit" in shown.error.message


@pytest.mark.parametrize("code", [ErrorCode.IMAGE_REJECTED, ErrorCode.AUTHENTICATION_FAILED, ErrorCode.OUT_OF_CREDITS])
def test_a_refusal_ends_the_attempt_with_its_own_code(desk: JobScenario, code: ErrorCode) -> None:
    attempt = desk.sending()
    desk.do(submit.refused, desk.policy, attempt, Refused(code, "no"), owner=GENERATOR, now=desk.now)

    shown = desk.shown(attempt)
    assert shown.error is not None
    assert shown.refund is not None
    assert (shown.error.code, shown.refund.status) == (code, RefundStatus.NOT_CHARGED)
    assert shown.detected_by is None


def test_a_provider_counts_as_refusing_our_key_until_it_accepts_a_job(desk: JobScenario) -> None:
    attempt = desk.sending()
    refusal = Refused(ErrorCode.AUTHENTICATION_FAILED, "401", unauthorized=True)
    desk.do(submit.refused, desk.policy, attempt, refusal, owner=GENERATOR, now=desk.now)
    refused = desk.do(providers.get, IACREA)
    assert refused is not None
    assert refused.unauthorized_since == START

    desk.generating()
    taken = desk.do(providers.get, IACREA)
    assert taken is not None
    assert taken.unauthorized_since is None


def test_a_provider_counts_as_out_of_credits_until_it_accepts_a_job(desk: JobScenario) -> None:
    attempt = desk.sending()
    refusal = Refused(ErrorCode.OUT_OF_CREDITS, "402")
    desk.do(submit.refused, desk.policy, attempt, refusal, owner=GENERATOR, now=desk.now)
    refused = desk.do(providers.get, IACREA)
    assert refused is not None
    assert refused.out_of_credits_since == START

    desk.generating()
    taken = desk.do(providers.get, IACREA)
    assert taken is not None
    assert taken.out_of_credits_since is None


def test_work_for_one_provider_never_waits_for_the_other(desk: JobScenario) -> None:
    not_taken(desk, desk.sending(IACREA), NotAcceptedYet("429", retry_after=300, throttled=True))
    attempt = desk.claimed(HOMEDESIGNS)
    assert send(desk, attempt)


def test_a_claim_that_its_own_living_process_dropped_is_taken_up_again(desk: JobScenario) -> None:
    attempt = desk.claimed()
    desk.now += 11
    assert claim(desk, owner=GENERATOR) == []
    desk.now += 60
    assert [taken.id for taken in claim(desk, owner=GENERATOR)] == [attempt.id]
