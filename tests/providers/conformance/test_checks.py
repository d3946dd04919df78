"""What a provider says of a job is read as it is meant, and the price of a failure with its evidence."""

import asyncio

import pytest

from providers.base import VerificationFailed
from providers.capabilities import Cancel
from providers.registry import PROVIDERS
from providers.reports import CancelResult, Doubtful, Failed, Handle, Ready, Unavailable, UnknownJob, Working
from schemas.addresses import output_url_usable
from schemas.names import ErrorCode, RefundStatus
from tests.providers.conformance.examinee import Examinee, Newer, failures_of
from tests.providers.conformance.test_submissions import each_with, everybody
from tests.providers.peer import Peer, says


@everybody
async def test_a_finished_video_has_a_usable_address_and_keeps_it(examinee: Examinee) -> None:
    job = await examinee.submitted("ok")
    for _ in range(2):
        report = await examinee.client.check(job)
        assert isinstance(report, Ready)
        assert all(output_url_usable(url, allow_private=True) for url in report.urls)
        assert len(report.urls) == 1


@pytest.mark.parametrize(
    ("examinee", "story"), each_with(lambda name: sorted(failures_of(name))), indirect=["examinee"]
)
async def test_a_failure_tells_its_price_and_how_that_is_known(examinee: Examinee, story: str) -> None:
    report = await examinee.client.check(await examinee.submitted(story))
    assert isinstance(report, Failed)
    assert report.message
    refund = report.refund or examinee.record.failure_refund
    assert refund.status == failures_of(examinee.record.name)[story]
    if refund.status is not RefundStatus.UNKNOWN:
        assert report.evidence or examinee.record.refund_evidence


@everybody
async def test_a_job_that_it_does_not_know_is_unknown(examinee: Examinee) -> None:
    assert isinstance(await examinee.client.check(await examinee.submitted("unknown")), UnknownJob)
    assert isinstance(await examinee.client.check(Handle("1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed")), UnknownJob)


@everybody
@pytest.mark.parametrize("status", [404, 410])
async def test_the_page_of_a_gateway_says_nothing_of_a_job(examinee: Examinee, status: int) -> None:
    job = await examinee.submitted("ok")
    gateway = Peer([says(status, b"<html><title>404 Not Found</title></html>", content_type="text/html")])
    await gateway.start()
    behind = examinee.behind(gateway.url)
    try:
        assert isinstance(await behind.check(job), Unavailable)
    finally:
        await behind.close()
        await gateway.stop()
    assert gateway.seen > 0
    assert isinstance(await examinee.client.check(job), Ready)


@pytest.mark.parametrize(
    ("examinee", "story"), each_with(lambda _: ["no-output", "private-output"]), indirect=["examinee"]
)
async def test_success_without_a_usable_address_is_in_doubt(examinee: Examinee, story: str) -> None:
    report = await examinee.client.check(await examinee.submitted(story))
    assert isinstance(report, Doubtful)
    assert report.code is ErrorCode.RESULT_INVALID
    assert report.final or story == "no-output"


@pytest.mark.parametrize(("examinee", "story"), each_with(lambda _: ["new-word"]), indirect=["examinee"])
async def test_a_state_that_nobody_documented_means_work_and_is_told(examinee: Examinee, story: str) -> None:
    assert isinstance(await examinee.client.check(await examinee.submitted(story)), Working)
    assert len(examinee.words) == 1


@everybody
async def test_many_jobs_at_once_each_get_their_own_answer(examinee: Examinee) -> None:
    stories = ["ok", "running"] * 4
    jobs = [await examinee.submitted(story, name=f"attempt-{number}") for number, story in enumerate(stories)]
    before = len(examinee.stand_in.asked) if isinstance(examinee, Newer) else 0
    reports = await asyncio.gather(*(examinee.client.check(job) for job in jobs), examinee.client.check(Handle("none")))
    assert [isinstance(report, Ready) for report in reports[:-1]] == [story == "ok" for story in stories]
    assert all(isinstance(report, Ready | Working) for report in reports[:-1])
    assert isinstance(reports[-1], UnknownJob)
    if isinstance(examinee, Newer) and examinee.record.jobs_per_check > 1:
        assert len(examinee.stand_in.asked) - before == 1


@pytest.mark.parametrize(
    "examinee", [str(name) for name, each in PROVIDERS.items() if each.cancel is Cancel.CERTAIN], indirect=True
)
@pytest.mark.parametrize("story", ["queued", "running"])
async def test_a_job_that_was_certainly_stopped_is_reported_so_or_is_gone(examinee: Examinee, story: str) -> None:
    job = await examinee.submitted(story)
    assert (await examinee.client.cancel(job)).result is CancelResult.DONE
    report = await examinee.client.check(job)
    if examinee.record.cancel_forgets:
        assert isinstance(report, UnknownJob)
    else:
        assert isinstance(report, Failed)
        assert report.cancelled


@pytest.mark.parametrize(
    "examinee", [str(name) for name, each in PROVIDERS.items() if each.cancel is not Cancel.NONE], indirect=True
)
async def test_a_cancellation_says_what_it_is_worth(examinee: Examinee) -> None:
    certain = examinee.record.cancel is Cancel.CERTAIN
    running = await examinee.client.cancel(await examinee.submitted("running"))
    queued = await examinee.client.cancel(await examinee.submitted("queued"))
    unknown = await examinee.client.cancel(Handle("1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"))
    done = await examinee.submitted("ok")
    late = await examinee.client.cancel(done)

    assert running.result is (CancelResult.DONE if certain else CancelResult.WISHED)
    assert queued.result is CancelResult.DONE
    assert unknown.result is CancelResult.UNKNOWN
    assert late.result is CancelResult.TOO_LATE
    # A finished video is still there.
    assert isinstance(await examinee.client.check(done), Ready)


@everybody
async def test_the_account_is_known_and_a_wrong_one_is_not(examinee: Examinee) -> None:
    assert examinee.record.label in await examinee.client.verify()
    stranger = examinee.stranger()
    with pytest.raises(VerificationFailed, match=f"REELBUS_{examinee.record.name.upper()}_"):
        await stranger.verify()
    await stranger.close()
