"""Whatever a submission meets, it is never called refused where the provider may have taken it, nor the other way."""

from collections.abc import Callable

import pytest

from providers.capabilities import Deadline, OverLimit
from providers.http.seen import watched_answers
from providers.parsing.shapes import is_documented, shape_of
from providers.registry import PROVIDERS
from providers.reports import Accepted, Handle, NotAcceptedYet, OutcomeUnknown, Refused, Unavailable, Working
from schemas.names import ErrorCode, Motion, MotionForm
from tests.providers.conformance.examinee import LOST, NOT_YET, Examinee, Newer, refusals_of, stories_of
from tests.providers.orders import Marker

Pairs = list[tuple[str, str]]


def each_with(stories: Callable[[str], list[str]]) -> Pairs:
    """Pair every provider with those stories that its stand-in knows."""
    return [(str(name), story) for name in PROVIDERS for story in stories(name) if story in stories_of(name)]


everybody = pytest.mark.parametrize("examinee", [str(name) for name in PROVIDERS], indirect=True)


@everybody
async def test_an_accepted_job_has_a_handle_that_it_is_asked_by(examinee: Examinee) -> None:
    hook = Marker()
    await examinee.plan("running")
    answer = await examinee.client.submit(examinee.order(), before_first_byte=hook)
    assert isinstance(answer, Accepted)
    assert answer.provider_job_id
    assert hook.fired == 1
    assert isinstance(await examinee.client.check(Handle(answer.provider_job_id, answer.details)), Working)
    # What is stored may be lost with an older release: the id alone is enough.
    assert isinstance(await examinee.client.check(Handle(answer.provider_job_id)), Working)


@pytest.mark.parametrize(("examinee", "story"), each_with(lambda _: list(LOST)), indirect=["examinee"])
async def test_a_lost_answer_is_of_unknown_outcome(examinee: Examinee, story: str) -> None:
    await examinee.plan(story)
    answer = await examinee.client.submit(examinee.order(), before_first_byte=Marker())
    assert isinstance(answer, OutcomeUnknown)


@pytest.mark.parametrize(("examinee", "story"), each_with(lambda _: list(NOT_YET)), indirect=["examinee"])
async def test_a_provider_that_is_away_has_taken_nothing(examinee: Examinee, story: str) -> None:
    await examinee.plan(story)
    answer = await examinee.client.submit(examinee.order(), before_first_byte=Marker())
    assert isinstance(answer, NotAcceptedYet)
    assert not answer.throttled
    assert (answer.retry_after is not None) == (story == "503-later")


@pytest.mark.parametrize(
    ("examinee", "story"), each_with(lambda name: sorted(refusals_of(name))), indirect=["examinee"]
)
async def test_a_refusal_says_whose_fault_it_is_and_a_limit_is_none(examinee: Examinee, story: str) -> None:
    await examinee.plan(story)
    answer = await examinee.client.submit(examinee.order(), before_first_byte=Marker())
    code = refusals_of(examinee.record.name)[story]
    if code:
        assert isinstance(answer, Refused)
        assert answer.code == code
        assert not answer.unauthorized
    else:
        assert isinstance(answer, NotAcceptedYet)
        assert answer.throttled


@everybody
async def test_wrong_credentials_are_told_as_such(examinee: Examinee) -> None:
    stranger = examinee.stranger()
    answer = await stranger.submit(examinee.order(), before_first_byte=Marker())
    report = await stranger.check(Handle("1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"))
    await stranger.close()
    assert isinstance(answer, Refused)
    assert (answer.code, answer.unauthorized) == (ErrorCode.AUTHENTICATION_FAILED, True)
    assert isinstance(report, Unavailable)
    assert report.unauthorized
    told = f"{answer.message} {report.message}"
    assert not any(value in told for value in ("wrong-" + "x" * 20,))


@everybody
async def test_jobs_beyond_the_limit_wait_there_or_are_sent_again(examinee: Examinee) -> None:
    if examinee.record.over_limit is OverLimit.WAITS:
        assert isinstance(await examinee.client.check(await examinee.submitted("queued")), Working)
    else:
        assert "" in refusals_of(examinee.record.name).values()


@everybody
async def test_a_prompt_over_the_bound_is_refused_and_nothing_is_sent(examinee: Examinee) -> None:
    bound = examinee.record.prompt_limit
    order = examinee.order(prompt="x" * ((bound or 1000) + 1))
    hook = Marker()
    answer = await examinee.client.submit(order, before_first_byte=hook)
    if bound is None:
        assert isinstance(answer, Accepted)
    else:
        assert isinstance(answer, Refused)
        assert (answer.code, hook.fired) == (ErrorCode.REQUEST_REJECTED, 0)


@pytest.mark.parametrize("examinee", [str(name) for name, each in PROVIDERS.items() if each.options], indirect=True)
async def test_the_motion_is_a_sentence_before_the_callers_words_and_the_deadline_goes_along(
    examinee: Examinee,
) -> None:
    assert isinstance(examinee, Newer)
    job = examinee.stand_in.jobs[(await examinee.submitted("ok", motion=Motion.PAN_LEFT, prompt="A red sofa.")).id]
    told = str(job.wish)
    assert "slides smoothly to the left, keeping its height. The scene itself stays still. A red sofa." in told
    headers = {Deadline.START_BY: "x-fal-request-timeout", Deadline.END_BY: "cancel-after"}
    wanted = headers.get(examinee.record.deadline)
    assert wanted is None or wanted in job.headers


@everybody
async def test_every_motion_that_is_offered_is_taken(examinee: Examinee) -> None:
    for motion, offer in examinee.record.motions.items():
        await examinee.submitted("ok", motion=motion, name=f"attempt-of-{motion}")
        assert offer.wire or offer.form is MotionForm.PROMPT


@everybody
async def test_the_answer_to_a_submission_is_watched_and_of_a_documented_shape(examinee: Examinee) -> None:
    await examinee.plan("ok")
    with watched_answers() as seen:
        await examinee.client.submit(examinee.order(), before_first_byte=Marker())
    [answer] = seen
    assert is_documented(examinee.record.name, shape_of(answer)), shape_of(answer)


@everybody
async def test_an_answer_to_a_submission_that_no_page_shows_is_told_apart(examinee: Examinee) -> None:
    await examinee.plan("html")
    with watched_answers() as seen:
        await examinee.client.submit(examinee.order(), before_first_byte=Marker())
    assert [is_documented(examinee.record.name, shape_of(answer)) for answer in seen] == [False]
