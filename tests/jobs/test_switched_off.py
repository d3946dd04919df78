"""A provider that is switched off ends its attempts; one that others have, or that is only away, ends none."""

import pytest

from jobs import assignment, submission_claims, submit, switched_off
from jobs.announced import ANNOUNCE_SECONDS, SWITCHED_OFF_SECONDS
from providers.registry import PROVIDERS
from schemas.names import ErrorCode, Motion, Provider, ProviderChoice, RefundStatus
from store import announcements, open_attempts
from store.announcements import Role
from store.attempts import AttemptRow
from tests.support.job_scenario import GENERATOR, JobScenario

IACREA, HOMEDESIGNS = Provider("iacrea"), Provider("homedesigns")
BOTH = (IACREA, HOMEDESIGNS)


class PollerBesideGenerators:
    """A poller beside generators, each with some providers."""

    def __init__(
        self, desk: JobScenario, *, generators: tuple[tuple[Provider, ...], ...], own: tuple[Provider, ...]
    ) -> None:
        self.desk, self.generators, self.own = desk, generators, own
        self.watch = switched_off.Watch()
        self.steady = 0.0

    def live(self, seconds: float) -> int:
        """Have everybody announce what they have for some time; say how many attempts were ended."""
        ended, until = 0, self.steady + seconds
        while self.steady < until:
            self.steady += ANNOUNCE_SECONDS
            self.desk.now += ANNOUNCE_SECONDS
            for enabled in self.generators:
                self.desk.do(announcements.announce, Role.GENERATOR, enabled, now=self.desk.now)
            self.desk.do(announcements.announce, Role.POLLER, self.own, now=self.desk.now)
            removed = self.desk.do(open_attempts.strangers, list(PROVIDERS))
            off = self.watch.step(self.desk.do(announcements.announced), at=self.steady, removed=removed)
            ended += self.desk.do(switched_off.end, self.desk.policy, off, now=self.desk.now)
        return ended


LONG = SWITCHED_OFF_SECONDS + 5 * ANNOUNCE_SECONDS


def test_what_waits_for_a_provider_that_is_switched_off_fails_uncharged(desk: JobScenario) -> None:
    attempt = desk.routed(choice=ProviderChoice("iacrea"))
    desk.under(providers=(HOMEDESIGNS,))
    assert PollerBesideGenerators(desk, generators=((HOMEDESIGNS,),), own=(HOMEDESIGNS,)).live(LONG) == 1
    shown = desk.shown(attempt)
    assert shown.error is not None
    assert (shown.error.code, shown.refund and shown.refund.status) == (
        ErrorCode.PROVIDER_UNAVAILABLE, RefundStatus.NOT_CHARGED,
    )  # fmt: skip
    assert desk.told(attempt) == ["failed"]


def test_it_falls_back_where_that_is_wanted(desk: JobScenario) -> None:
    attempt = desk.routed(choice=ProviderChoice("auto"), fallback=True, motion=Motion.ZOOM_IN)
    assert attempt.provider == IACREA
    desk.under(providers=(HOMEDESIGNS,))
    PollerBesideGenerators(desk, generators=((HOMEDESIGNS,),), own=(HOMEDESIGNS,)).live(LONG)
    assert desk.told(attempt) == ["fallback"]
    assert desk.attempt(attempt.video_id, 2).provider == HOMEDESIGNS


@pytest.mark.parametrize("generators", [(), (BOTH,), ((HOMEDESIGNS,), (IACREA,))])
def test_while_generators_are_away_or_some_have_it_nothing_is_ended(
    desk: JobScenario, generators: tuple[tuple[Provider, ...], ...]
) -> None:
    desk.routed(choice=ProviderChoice("iacrea"))
    assert PollerBesideGenerators(desk, generators=generators, own=BOTH).live(10 * LONG) == 0


def test_what_was_being_sent_is_of_unknown_outcome(desk: JobScenario) -> None:
    attempt = desk.sending(HOMEDESIGNS)
    desk.under(providers=(IACREA,))
    PollerBesideGenerators(desk, generators=((IACREA,),), own=(IACREA,)).live(LONG)
    assert desk.video(attempt).error is not None
    assert desk.told(attempt) == ["failed"]
    assert desk.shown(attempt).refund == submit.unknown("").refund


def test_an_unproven_submission_ends_after_its_wait_and_an_accepted_one_after_its_time_out(desk: JobScenario) -> None:
    unproven, accepted = desk.unconfirmed(), desk.generating()
    desk.under(providers=(HOMEDESIGNS,))
    poller = PollerBesideGenerators(desk, generators=((HOMEDESIGNS,),), own=(HOMEDESIGNS,))
    assert poller.live(LONG) == 0
    poller.live(desk.policy.confirm_wait)
    assert (desk.told(unproven), desk.told(accepted)) == (["failed"], ["submitted"])
    poller.live(desk.policy.job_timeout)
    assert desk.told(accepted) == ["submitted", "failed"]


def test_a_generator_with_fewer_providers_routes_to_those_that_others_have(desk: JobScenario) -> None:
    desk.do(announcements.announce, Role.GENERATOR, BOTH, now=desk.now)
    desk.under(providers=(HOMEDESIGNS,))
    assert desk.routed(choice=ProviderChoice("iacrea")).provider == IACREA


def test_what_nobody_seems_to_have_is_left_for_a_while_and_then_fails(desk: JobScenario) -> None:
    desk.under(providers=(HOMEDESIGNS,))
    video_id = desk.request(choice=ProviderChoice("iacrea"))
    assert desk.do(assignment.route, desk.policy, now=desk.now) == 0
    desk.now += assignment.UNROUTED_SECONDS
    assert desk.do(assignment.route, desk.policy, now=desk.now) == 1
    assert [event["type"] for event in desk.bodies()] == ["video.failed"]
    assert desk.do(submission_claims.claim, desk.policy, IACREA, owner=GENERATOR, room=1, now=desk.now).work == []
    assert video_id


def of_a_removed_provider(desk: JobScenario) -> tuple[AttemptRow, AttemptRow]:
    """Have one attempt that was never sent, and one that was accepted, of a provider that is no more."""
    generating = desk.generating(IACREA)
    waiting = desk.routed(choice=ProviderChoice("iacrea"))
    for attempt in (waiting, generating):
        desk.connection.execute("UPDATE attempts SET provider = 'gone' WHERE id = ?", (attempt.id,))
    return waiting, generating


def test_attempts_of_a_provider_that_is_no_more_end_like_those_of_one_that_is_switched_off(desk: JobScenario) -> None:
    waiting, generating = of_a_removed_provider(desk)
    poller = PollerBesideGenerators(desk, generators=(BOTH,), own=BOTH)
    assert poller.live(LONG) == 1
    assert desk.told(waiting) == ["failed"]
    assert desk.video(generating).status == "generating"
    assert poller.live(desk.policy.job_timeout + LONG) == 1
    shown = desk.shown(generating)
    assert shown.error
    assert (shown.provider, shown.error.code) == ("gone", ErrorCode.TIMED_OUT)
    assert desk.do(open_attempts.strangers, list(PROVIDERS)) == []


def test_a_provider_that_a_newer_release_announces_is_left_to_it(desk: JobScenario) -> None:
    of_a_removed_provider(desk)
    newer = (*BOTH, Provider("gone"))
    assert PollerBesideGenerators(desk, generators=(BOTH, newer), own=newer).live(LONG) == 0
