"""Every behaviour does on the wire what its name says, and the record tells whether it was paid for."""

import asyncio
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qs

import httpx
import pytest

from sandbox.behaviours import BEHAVIOURS
from sandbox.settings import PROVIDERS
from tests.sandbox.server import Catcher, Caught, SandboxServer
from tests.sandbox.test_stand_in_homedesigns import ENDS as HOMEDESIGNS_ENDS
from tests.sandbox.test_stand_in_homedesigns import OTHERWISE as HOMEDESIGNS_OTHERWISE
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSALS = {
    "http-400": 400, "http-400-image": 400, "http-401": 401, "http-402": 402, "http-403": 403,
    "http-404": 404, "http-422": 422, "http-429": 429, "http-429-retry-after": 429,
    "http-429-retry-date": 429, "http-500": 500, "http-502": 502, "http-503": 503,
    "http-503-retry-after": 503, "http-504": 504, "html-502": 502, "redirect-308": 308,
    "error-422-laravel": 422, "error-422-fastapi": 422, "error-422-captured": 422,
    "success-false-200": 200, "html-200": 200, "empty-200": 200, "deep-json": 200,
}  # fmt: skip
AFTER_ACCEPTING = {"http-500-after-accept": 500, "http-502-after-accept": 502, "http-504-after-accept": 504,
                   "html-200-after-accept": 200, "empty-200-after-accept": 200}  # fmt: skip
SPOILT = {"bad-json", "huge-answer", "trailing-comma", "slow-body"}
UNANSWERED = {"hang", "hang-after-accept", "reset-before-read", "charge-and-drop"}


async def submit(stand: SandboxServer, provider: str, **more: object) -> httpx.Response:
    return await (stand.generate(**more) if provider == "iacrea" else stand.video())


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_has_its_status_and_begins_nothing(stand: SandboxServer, provider: str, name: str) -> None:
    await stand.plan(provider, name)
    assert (await submit(stand, provider)).status_code == REFUSALS[name]
    last = await stand.last()
    assert (last["answered"], last["accepted"], last["charged"]) == (REFUSALS[name], False, False)
    assert (await submit(stand, provider)).status_code == 200
    assert (await stand.last())["accepted"] is True


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", AFTER_ACCEPTING)
async def test_an_error_after_accepting_was_paid_for(stand: SandboxServer, provider: str, name: str) -> None:
    await stand.plan(provider, name)
    assert (await submit(stand, provider)).status_code == AFTER_ACCEPTING[name]
    last = await stand.last()
    assert (last["accepted"], last["charged"]) == (True, True)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_retry_after_comes_in_seconds_and_as_a_date(stand: SandboxServer, provider: str) -> None:
    await stand.plan(provider, ["http-503-retry-after", "http-429-retry-after", "http-429-retry-date"], seconds=7)
    answers = [(await submit(stand, provider)).headers["retry-after"] for _ in range(3)]
    assert answers[:2] == ["7", "7"]
    assert 5 < parsedate_to_datetime(answers[2]).timestamp() - time.time() < 9
    requests = (await stand.summary(provider))["requests"]
    assert isinstance(requests, dict)
    assert requests["before_retry_after"] == 2


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_who_follows_a_redirect_is_seen(stand: SandboxServer, provider: str) -> None:
    await stand.plan(provider, "redirect-308")
    location = (await submit(stand, provider)).headers["location"]
    await stand.http.post(location, headers={"x-api-key": "leaked"})
    summary = (await stand.http.get("/sandbox/records/summary")).json()
    assert summary["redirects_followed"] == [{"provider": provider, "credentials": ["x-api-key"]}]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_spoilt_answers_are_paid_for(stand: SandboxServer, provider: str) -> None:
    await stand.plan(provider, ["bad-json", "huge-answer", "trailing-comma"])
    cut, huge, comma = [await submit(stand, provider) for _ in range(3)]
    for unreadable in (cut, comma):
        with pytest.raises(ValueError):  # noqa: PT011  (whatever the parser says)
            unreadable.json()
    assert len(huge.content) > 8_000_000
    assert huge.json().keys() >= {"padding"}
    assert [each["charged"] for each in await stand.records()] == [True] * 3


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_slow_body_outlasts_a_time_limit_on_each_read(stand: SandboxServer, provider: str) -> None:
    await stand.plan(provider, "slow-body", seconds=0.4)
    began = time.monotonic()
    assert (await submit(stand, provider)).status_code == 200
    assert time.monotonic() - began > 0.35


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("name", "paid"), [("hang", False), ("hang-after-accept", True)])
async def test_a_hang_is_never_answered(stand: SandboxServer, provider: str, name: str, paid: bool) -> None:  # noqa: FBT001
    await stand.plan(provider, name)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await submit(stand, provider)
    last = await stand.last()
    assert (last["answered"], last["charged"]) == (None, paid)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("name", "paid"), [("reset-before-read", False), ("charge-and-drop", True)])
async def test_a_dropped_connection_tells_nothing(stand: SandboxServer, provider: str, name: str, paid: bool) -> None:  # noqa: FBT001
    await stand.plan(provider, name)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await submit(stand, provider)
    last = await stand.last()
    assert (last["answered"], last["charged"]) == (None, paid)


def named(webhook: Caught) -> str:
    return str(webhook.told.get("generation_id", ""))


ANONYMOUS = {"status", "urls"}
CALLS: dict[str, Callable[[list[Caught], dict[str, object]], bool]] = {
    "ok": lambda calls, _: len(calls) == 1 and calls[0].told.keys() == ANONYMOUS,
    "lower-case": lambda calls, _: calls[0].told["status"] == "succeeded",
    "processing-noise": lambda calls, _: calls[0].told["status"] == "SUCCEEDED",
    "fail": lambda calls, _: [call.told for call in calls] == [{"status": "FAILED"}],
    "fail-lower-case": lambda calls, _: [call.told for call in calls] == [{"status": "failed"}],
    "fail-with-reason": lambda calls, _: bool(calls[0].told["error"]),
    "webhook-twice": lambda calls, _: len(calls) == 2 and calls[0].body == calls[1].body,
    "webhook-x5": lambda calls, _: len(calls) == 5,
    "webhook-empty": lambda calls, _: calls[0].body == b"",
    "webhook-form": lambda calls, _: parse_qs(calls[0].body.decode())["status"] == ["SUCCEEDED"],
    "webhook-huge": lambda calls, _: len(calls[0].body) > 1_000_000,
    "webhook-names-generation": lambda calls, record: named(calls[0]) == record["job_id"],
    "webhook-names-other": lambda calls, record: named(calls[0]) not in ("", record["job_id"]),
    "succeeded-empty-once": lambda calls, _: len(calls) == 1,
    "succeeded-empty-always": lambda calls, _: calls[0].told["urls"] == [],
    "url-singular": lambda calls, _: calls[0].told.keys() == {"status", "url"},
    "lost-id": lambda calls, _: len(calls) == 1,
    "hostile-urls": lambda calls, _: "javascript:alert(1)" in str(calls[0].told["urls"]),
    "hostile-urls-mixed": lambda calls, record: str(record["marker"]) in str(calls[0].told["urls"]),
    "private-urls": lambda calls, _: "169.254." in str(calls[0].told["urls"]),
    "hang-after-accept-named": lambda calls, record: named(calls[0]) == record["job_id"],
    "charge-and-drop": lambda calls, _: calls[0].told.keys() == ANONYMOUS,
    "charge-and-drop-anonymous": lambda calls, _: calls[0].told.keys() == ANONYMOUS,
    "charge-and-drop-named": lambda calls, record: named(calls[0]) == record["job_id"],
    "charge-and-drop-misnamed": lambda calls, record: named(calls[0]) not in ("", record["job_id"]),
    "charge-and-drop-fail": lambda calls, _: calls[0].told == {"status": "FAILED"},
}
QUIET = {"fail-silently", "webhook-never", "charge-and-drop-silent", "fail-then-succeed", "never-finishes"}
TIMED = {"webhook-before-answer", "webhook-before-ready", "webhook-late", "stuck-then-late"}


async def _called(stand: SandboxServer, times: int = 1) -> None:
    async def enough() -> bool:
        sent = (await stand.last())["webhooks_sent"]
        return isinstance(sent, int) and sent >= times

    await eventually(enough)


@pytest.mark.parametrize("name", CALLS)
async def test_a_webhook_is_as_its_behaviour_says(stand: SandboxServer, catcher: Catcher, name: str) -> None:
    await stand.plan("iacrea", name, render_seconds=0, seconds=0.05)
    times = {"webhook-twice": 2, "webhook-x5": 5}.get(name, 1)
    try:
        await stand.generate(webhook=catcher.url)
    except httpx.TransportError:
        assert name.startswith(("charge-and-drop", "hang"))
    await _called(stand, times)
    record = await stand.last()
    assert CALLS[name](catcher.webhooks, record)
    assert record["charged"] is True
    assert record["refunded"] is ("fail" in name)


@pytest.mark.parametrize("name", sorted(QUIET))
async def test_some_never_call(stand: SandboxServer, catcher: Catcher, name: str) -> None:
    await stand.plan("iacrea", [name, "ok"], render_seconds=0)
    try:
        await stand.generate(webhook=f"{catcher.url}/quiet")
    except httpx.TransportError:
        assert name == "charge-and-drop-silent"
    await stand.generate(webhook=f"{catcher.url}/loud")
    await _called(stand)
    assert [call.path for call in catcher.webhooks] == ["/loud"]
    quiet = (await stand.records())[0]
    assert quiet["refunded"] is (name == "fail-silently")


async def test_a_webhook_may_come_before_the_answer(stand: SandboxServer, catcher: Catcher) -> None:
    await stand.plan("iacrea", "webhook-before-answer")
    job = (await stand.generate(webhook=catcher.url)).json()["generation_id"]
    assert len(catcher.webhooks) == 1
    assert (await stand.get(job)).json()["status"] == "SUCCEEDED"


async def test_a_webhook_may_come_before_the_status_agrees(stand: SandboxServer, catcher: Catcher) -> None:
    await stand.plan("iacrea", "webhook-before-ready", render_seconds=0.6)
    job = (await stand.generate(webhook=catcher.url)).json()["generation_id"]
    await _called(stand)
    assert catcher.webhooks[0].told["status"] == "SUCCEEDED"
    assert (await stand.get(job)).json()["status"] == "IN_PROGRESS"


async def test_a_webhook_may_come_late(stand: SandboxServer, catcher: Catcher) -> None:
    await stand.plan("iacrea", "webhook-late", render_seconds=0, seconds=0.3)
    job = (await stand.generate(webhook=catcher.url)).json()["generation_id"]
    assert (await stand.get(job)).json()["status"] == "SUCCEEDED"
    assert not catcher.webhooks
    await _called(stand)


async def test_a_video_may_end_late(stand: SandboxServer, catcher: Catcher) -> None:
    await stand.plan("iacrea", "stuck-then-late", seconds=0.3)
    job = (await stand.generate(webhook=catcher.url)).json()["generation_id"]
    assert (await stand.get(job)).json()["status"] == "STARTING"
    await _called(stand)
    assert (await stand.get(job)).json()["status"] == "SUCCEEDED"


async def test_status_answers_may_be_odd(stand: SandboxServer) -> None:
    names = ["succeeded-empty-once", "succeeded-empty-always", "fail-then-succeed", "lost-id"]
    await stand.plan("iacrea", names, render_seconds=0)
    jobs = [(await stand.generate()).json()["generation_id"] for _ in names]
    first = [(await stand.get(job)).json() for job in jobs]
    second = [(await stand.get(job)).json() for job in jobs]
    assert (first[0]["urls"], len(second[0]["urls"])) == ([], 1)
    assert (first[1]["urls"], second[1]["urls"]) == ([], [])
    assert (first[2]["status"], second[2]["status"]) == ("FAILED", "SUCCEEDED")
    assert "error" in first[3]


async def test_noise_uses_many_words_for_still_running(stand: SandboxServer) -> None:
    await stand.plan("iacrea", "processing-noise", render_seconds=30)
    job = (await stand.generate()).json()["generation_id"]
    words = {(await stand.get(job)).json()["status"] for _ in range(6)}
    assert words >= {"PROCESSING", "in_progress"}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("fault", "status"),
    [("http-500", 500), ("404", 404), ("http-429-retry-after", 429), ("html", 200), ("html-502", 502),
     ("bad-json", 200), ("slow-body", 200), ("huge-answer", 200), ("http-401", 401), ("redirect-308", 308)],
)  # fmt: skip
async def test_a_status_call_meets_what_is_planned_for_it(
    stand: SandboxServer, provider: str, fault: str, status: int
) -> None:
    accepted = (await submit(stand, provider)).json()
    job = accepted.get("generation_id") or accepted["id"]
    check = stand.get if provider == "iacrea" else stand.status
    await stand.plan(provider, fault, on="check", count=2, seconds=0.05)
    assert [(await check(job)).status_code for _ in range(3)] == [status, status, 200]
    assert (await stand.last())["checks"] == 3


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_status_call_may_be_dropped_or_left_hanging(stand: SandboxServer, provider: str) -> None:
    accepted = (await submit(stand, provider)).json()
    check = stand.get if provider == "iacrea" else stand.status
    await stand.plan(provider, ["reset", "hang"], on="check")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await check(accepted.get("generation_id") or accepted["id"])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await check(accepted.get("generation_id") or accepted["id"])


async def test_every_behaviour_is_proved_here() -> None:
    shared = {*REFUSALS, *AFTER_ACCEPTING, *SPOILT, *UNANSWERED}
    assert shared | CALLS.keys() | QUIET | TIMED == BEHAVIOURS["iacrea"].keys()
    assert shared | HOMEDESIGNS_ENDS.keys() | HOMEDESIGNS_OTHERWISE == BEHAVIOURS["homedesigns"].keys()
