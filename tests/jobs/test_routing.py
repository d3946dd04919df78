"""A provider makes a video only if it is enabled, allowed by the caller, and has the motion; else nobody does."""

import itertools

import pytest

from jobs import assignment, routing
from providers.registry import PROVIDERS
from schemas.names import AUTO, ErrorCode, Motion, Provider, ProviderChoice, RefundStatus, VideoStatus
from schemas.problem import ProblemCode, Refusal
from tests.support.job_scenario import JobScenario

BOTH = (Provider("iacrea"), Provider("homedesigns"))
ENABLED = [(), BOTH[:1], BOTH[1:], BOTH, BOTH[::-1]]
CHOICES = [AUTO, *map(ProviderChoice, PROVIDERS)]
ONLY_IACREA = {Motion.AUTO_REVERSE}
ONLY_HOMEDESIGNS = {Motion.ROTATE_CW, Motion.ROTATE_CCW, Motion.LOOK_UP, Motion.LOOK_DOWN}


def allowed(choice: ProviderChoice, motion: Motion, enabled: tuple[Provider, ...]) -> list[Provider]:
    """Say in other words which providers would do, best first."""
    lacking = {Provider("iacrea"): ONLY_HOMEDESIGNS, Provider("homedesigns"): ONLY_IACREA}
    return [
        provider
        for provider in enabled
        if motion not in lacking[provider] and choice in {ProviderChoice("auto"), ProviderChoice(provider)}
    ]


@pytest.mark.parametrize(("choice", "motion", "enabled"), list(itertools.product(CHOICES, Motion, ENABLED)))
def test_the_first_provider_is_the_most_preferred_one_that_may_and_can(
    choice: ProviderChoice, motion: Motion, enabled: tuple[Provider, ...]
) -> None:
    fitting = allowed(choice, motion, enabled)

    assert routing.choose(choice, motion, enabled) == (fitting[0] if fitting else None)
    if fitting:
        routing.refuse_unroutable(choice, motion, enabled)
        return
    with pytest.raises(Refusal) as refused:
        routing.refuse_unroutable(choice, motion, enabled)
    switched_off = not enabled or (choice != ProviderChoice("auto") and Provider(choice) not in enabled)
    assert refused.value.problem.code is (
        ProblemCode.PROVIDER_DISABLED if switched_off else ProblemCode.MOTION_UNSUPPORTED
    )


@pytest.mark.parametrize(("motion", "enabled"), list(itertools.product(Motion, ENABLED)))
def test_a_video_falls_back_only_to_a_provider_that_has_the_motion_and_was_not_tried(
    motion: Motion, enabled: tuple[Provider, ...]
) -> None:
    for tried in ([], [Provider("iacrea")], [Provider("homedesigns")], list(BOTH)):
        fitting = [p for p in allowed(ProviderChoice("auto"), motion, enabled) if p not in tried]
        assert routing.choose_next(motion, enabled, tried) == (fitting[0] if fitting else None)


def test_every_motion_is_offered_by_somebody() -> None:
    assert all(any(each.offers(motion) for each in PROVIDERS.values()) for motion in Motion)


def test_a_video_is_given_to_its_provider_with_one_attempt(desk: JobScenario) -> None:
    attempt = desk.routed(choice=ProviderChoice("auto"), motion=Motion.LOOK_UP)

    video = desk.video(attempt)
    assert (video.status, video.provider) == (VideoStatus.SUBMITTING, Provider("homedesigns"))
    assert [shown.provider for shown in video.attempts] == [Provider("homedesigns")]


def test_a_video_is_routed_once_however_often_it_is_looked_for(desk: JobScenario) -> None:
    attempt = desk.routed()
    assert desk.do(assignment.route, desk.policy, now=desk.now) == 0
    assert len(desk.video(attempt).attempts) == 1


def test_a_video_that_no_enabled_provider_can_make_any_more_fails_without_an_attempt(desk: JobScenario) -> None:
    video_id = desk.request(choice=ProviderChoice("iacrea"))
    desk.now += assignment.UNROUTED_SECONDS
    desk.under(providers=(Provider("homedesigns"),)).do(assignment.route, desk.policy, now=desk.now)

    [event] = [body for body in desk.bodies() if body["subject"] == video_id]
    assert event["type"] == "video.failed"
    assert event["data"]["attempts"] == []
    assert event["data"]["error"]["code"] == ErrorCode.PROVIDER_UNAVAILABLE
    assert event["data"]["refund"] == {"status": RefundStatus.NOT_CHARGED, "credits": 0}
    assert desk.routing_keys() == ["video.failed.none"]


IACREA, RUNWAY, KLING = Provider("iacrea"), Provider("runway"), Provider("kling")


@pytest.mark.parametrize(
    ("choice", "enabled", "length", "fits"),
    [
        ("runway", [RUNWAY], 900, True), ("runway", [RUNWAY], 1000, False), ("runway", [RUNWAY, IACREA], 1000, False),
        ("auto", [RUNWAY], 1000, False), ("auto", [RUNWAY, KLING], 1000, True), ("auto", [RUNWAY, KLING], 2500, False),
        ("auto", [RUNWAY, IACREA], 2000, True), ("iacrea", [IACREA], 2000, True),
    ],
)  # fmt: skip
def test_a_prompt_longer_than_any_provider_takes_is_refused_before_anything_is_spent(
    choice: str, enabled: list[Provider], length: int, *, fits: bool
) -> None:
    routing.refuse_long_prompt(ProviderChoice(choice), Motion.AUTO, None, enabled)
    if fits:
        routing.refuse_long_prompt(ProviderChoice(choice), Motion.ZOOM_IN, "x" * length, enabled)
        return
    with pytest.raises(Refusal, match=r"prompt: has \d+ UTF-16 code units") as refusal:
        routing.refuse_long_prompt(ProviderChoice(choice), Motion.ZOOM_IN, "x" * length, enabled)
    assert refusal.value.problem.status == 422
    assert [fault.field for fault in refusal.value.problem.errors or []] == ["prompt"]


def test_a_prompt_is_measured_as_its_provider_measures_it() -> None:
    routing.refuse_long_prompt(ProviderChoice("runway"), Motion.AUTO, "x" * 1000, [RUNWAY])
    with pytest.raises(Refusal, match="has 1002 UTF-16"):
        routing.refuse_long_prompt(ProviderChoice("runway"), Motion.AUTO, "\N{HOUSE BUILDING}" * 501, [RUNWAY])
