"""What proves that a provider took a job: its signature, our own name for it, or a search that finds it."""

import time

import pytest

from providers.base import LostSubmission, NotOffered, WebhookMessage
from providers.capabilities import Lookup, Webhook
from providers.registry import PROVIDERS
from providers.reports import Found, Handle, NotFound, OutcomeUnknown, Ready, Signature, Working
from tests.providers.conformance.examinee import LOST, Examinee, Newer
from tests.providers.conformance.test_submissions import everybody
from tests.providers.orders import Marker

SIGNING = [str(name) for name, each in PROVIDERS.items() if each.webhook is Webhook.SIGNED]
ASKED = [str(name) for name, each in PROVIDERS.items() if each.lookup in (Lookup.BY_NAME, Lookup.SEARCH)]
WEBHOOK = "https://reelbus.example/webhooks/x/tokentokentoken-of-the-lost"


def delivered(examinee: Examinee, job: Handle, flaw: str = "") -> WebhookMessage:
    assert isinstance(examinee, Newer)
    headers, body = examinee.stand_in.delivery(job.id, flaw)
    kept = {name: value for name, value in headers.items() if name in examinee.record.webhook_headers}
    return WebhookMessage(body, kept, time.time())


@pytest.mark.parametrize("examinee", SIGNING, indirect=True)
async def test_a_signed_webhook_proves_the_job_that_it_names(examinee: Examinee) -> None:
    job = await examinee.submitted("ok")
    reading = await examinee.client.read_webhook(delivered(examinee, job))
    assert reading.proves
    assert reading.job is not None
    assert reading.job.id == job.id
    if examinee.record.webhook_is_report:
        assert reading.report == await examinee.client.check(job)
        assert isinstance(reading.report, Ready)


@pytest.mark.parametrize("examinee", SIGNING, indirect=True)
@pytest.mark.parametrize(
    ("flaw", "signature"),
    [
        ("unsigned", Signature.MISSING),
        ("changed", Signature.WRONG),
        ("garbled", Signature.WRONG),
        ("old", Signature.STALE),
        ("future", Signature.STALE),
    ],
)
async def test_a_signature_with_a_flaw_proves_nothing(examinee: Examinee, flaw: str, signature: Signature) -> None:
    job = await examinee.submitted("ok")
    reading = await examinee.client.read_webhook(delivered(examinee, job, flaw))
    assert reading.signature is signature
    assert not reading.proves


@pytest.mark.parametrize("examinee", [name for name in SIGNING if name != "kling"], indirect=True)
async def test_somebody_elses_signature_proves_nothing(examinee: Examinee) -> None:
    job = await examinee.submitted("ok")
    assert (await examinee.client.read_webhook(delivered(examinee, job))).proves
    reading = await examinee.client.read_webhook(delivered(examinee, job, "foreign"))
    assert reading.signature in (Signature.FOREIGN, Signature.WRONG)
    assert not reading.proves


@pytest.mark.parametrize("examinee", ["fal"], indirect=True)
async def test_whose_account_it_is_is_learnt_only_from_a_job_that_the_provider_named_to_us(examinee: Examinee) -> None:
    await examinee.plan("drop")
    assert isinstance(await examinee.client.submit(examinee.order(), before_first_byte=Marker()), OutcomeUnknown)
    assert isinstance(examinee, Newer)
    [lost] = examinee.stand_in.jobs
    unsure = await examinee.client.read_webhook(delivered(examinee, Handle(lost), "foreign"))
    assert (unsure.signature, unsure.proves) == (Signature.UNCHECKED, False)

    known = await examinee.submitted("ok")
    assert (await examinee.client.read_webhook(delivered(examinee, known))).proves
    assert (await examinee.client.read_webhook(delivered(examinee, Handle(lost)))).proves


@pytest.mark.parametrize("examinee", ["kling"], indirect=True)
async def test_both_secrets_count_while_one_is_rotated(examinee: Examinee) -> None:
    assert isinstance(examinee, Newer)
    job = await examinee.submitted("ok")
    examinee.stand_in.rotating = True  # type: ignore[attr-defined]  # this one rotates
    assert (await examinee.client.read_webhook(delivered(examinee, job))).proves
    assert not (await examinee.client.read_webhook(delivered(examinee, job, "other-version"))).proves


@pytest.mark.parametrize("examinee", SIGNING, indirect=True)
async def test_wrong_signatures_fetch_keys_once_however_many_come(examinee: Examinee) -> None:
    assert isinstance(examinee, Newer)
    job = await examinee.submitted("ok")
    for _ in range(20):
        assert not (await examinee.client.read_webhook(delivered(examinee, job, "changed"))).proves
    fetched = [path for method, path in examinee.stand_in.asked if method == "GET"]
    assert len(fetched) <= 1


@pytest.mark.parametrize("examinee", SIGNING, indirect=True)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"id": {}}', b'"x"', b"\xff" * 100, b"[" * 50_000])
async def test_a_body_that_is_none_never_raises(examinee: Examinee, body: bytes) -> None:
    headers = dict.fromkeys(examinee.record.webhook_headers, "\u00e9 v1,x 1")
    reading = await examinee.client.read_webhook(WebhookMessage(body, headers, time.time()))
    assert not reading.proves
    assert reading.job is None


@pytest.mark.parametrize("examinee", ASKED, indirect=True)
@pytest.mark.parametrize("story", LOST)
async def test_a_submission_whose_answer_was_lost_is_found_among_others(examinee: Examinee, story: str) -> None:
    sent_at = time.time()
    await examinee.plan(story)
    lost = examinee.order(name="the-lost-one", webhook_url=WEBHOOK)
    assert isinstance(await examinee.client.submit(lost, before_first_byte=Marker()), OutcomeUnknown)
    for number in range(5):
        await examinee.submitted("running", name=f"another-{number}")

    found = await examinee.client.lookup(LostSubmission("the-lost-one", sent_at))

    assert isinstance(found, Found)
    assert isinstance(examinee, Newer)
    assert (examinee.stand_in.jobs[found.job.id].webhook or "").startswith(WEBHOOK)
    assert isinstance(found.report, Ready | Working)
    assert isinstance(await examinee.client.check(found.job), Ready)


@pytest.mark.parametrize("examinee", ASKED, indirect=True)
async def test_what_never_arrived_is_not_found(examinee: Examinee) -> None:
    await examinee.submitted("running", name="another")
    lost = LostSubmission("never-there", time.time())
    assert isinstance(await examinee.client.lookup(lost), NotFound)


@everybody
async def test_what_the_record_does_not_offer_is_not_there(examinee: Examinee) -> None:
    record, client = examinee.record, examinee.client
    if record.lookup not in (Lookup.BY_NAME, Lookup.SEARCH):
        with pytest.raises(NotOffered):
            await client.lookup(LostSubmission("x", 0.0))
    if record.webhook is not Webhook.SIGNED:
        with pytest.raises(NotOffered):
            await client.read_webhook(WebhookMessage(b"", {}, 0.0))
    assert (record.webhook is Webhook.SIGNED) == bool(record.webhook_headers)
    assert bool(record.options) == (record.options_date is not None)
