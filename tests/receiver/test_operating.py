"""Operators see which webhooks came and which were refused, mend parked commands, and have a video checked now."""

import asyncio
from pathlib import Path

import httpx
import pytest

from jobs.assignment import route
from jobs.policy import Policy
from jobs.submission_claims import claim
from jobs.submit import accepted, send
from providers.reports import Accepted
from store import attempts, refused_webhooks
from store.transaction import Tx
from tests.support.parked import Parked, letter
from tests.support.receiver import Receiver, serving
from tests.support.waiting import GIVE_UP_SECONDS

NOBODY = "01a1fb80-55bb-754f-a0b3-000000000000"


async def attempt_of(service: Receiver, video_id: str) -> attempts.AttemptRow:
    return (await service.store.read(attempts.of_videos, [video_id]))[video_id][0]


async def generating(service: Receiver) -> str:
    """Make a video that IACrea has accepted and that is checked in a while."""
    video_id = await service.make(provider="iacrea")
    now = service.context.now()

    def accept(tx: Tx) -> None:
        route(tx, Policy(), now=now)
        [attempt] = attempts.of_videos(tx, [video_id])[video_id]
        assert claim(tx, Policy(), attempt.provider, owner="us", room=5, now=now).work
        assert send(tx, attempt.id, owner="us", now=now)
        accepted(tx, Policy(), attempt, Accepted("job-1"), sent_at=now, now=now)

    await service.store.write(accept)
    return video_id


async def test_a_video_in_work_is_due_at_once_when_somebody_asks(service: Receiver) -> None:
    video_id = await generating(service)
    before = await attempt_of(service, video_id)
    assert before.due_at is not None
    assert before.due_at > service.context.now() + 60

    answer = await service.http.post(f"/v1/videos/{video_id}/check")
    assert (answer.status_code, answer.json()["status"]) == (202, "generating")
    after = await attempt_of(service, video_id)
    assert after.due_at is not None
    assert after.due_at <= service.context.now()
    assert after.woken_at is None, "a check now is no webhook"
    [entry] = [e for e in (await service.http.get("/v1/audit")).json()["items"] if e["action"] == "checked"]
    assert entry["subject"] == video_id


async def test_what_no_provider_has_in_work_cannot_be_checked(service: Receiver) -> None:
    video_id = await service.make()
    answer = await service.http.post(f"/v1/videos/{video_id}/check")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_generating")
    assert (await service.http.post(f"/v1/videos/{NOBODY}/check")).status_code == 404


async def test_webhooks_are_listed_with_their_videos_newest_first(service: Receiver) -> None:
    video_id = await generating(service)
    attempt = await attempt_of(service, video_id)
    address = f"/webhooks/iacrea/{service.context.signer.webhook_token(attempt.id)}"
    for number in range(3):
        assert (await service.http.post(address, json={"status": number})).status_code == 200

    page = (await service.http.get("/v1/webhooks?limit=2")).json()
    assert [item["body"] for item in page["items"]] == ['{"status":2}', '{"status":1}']
    assert {(item["video_id"], item["provider"], item["attempt"], item["late"]) for item in page["items"]} == {
        (video_id, "iacrea", 1, False)
    }
    rest = (await service.http.get(f"/v1/webhooks?limit=2&cursor={page['next_cursor']}")).json()
    assert ([item["body"] for item in rest["items"]], rest["next_cursor"]) == (['{"status":0}'], None)


async def test_refused_webhooks_are_noted_with_why_and_without_their_tokens(service: Receiver) -> None:
    await service.http.post("/webhooks/iacrea/guessed-token", json={})
    await service.http.post("/webhooks/nobody/guessed-token", json={})

    async with asyncio.timeout(GIVE_UP_SECONDS):
        while len(items := (await service.http.get("/v1/webhooks/refused")).json()["items"]) < 2:
            await asyncio.sleep(0.02)
    assert {(item["provider"], item["reason"], item["peer"]) for item in items} == {
        ("iacrea", "its token is not ours", "127.0.0.1"),
        ("nobody", "no provider that calls back has this name", "127.0.0.1"),
    }
    assert "guessed" not in str(items)


async def test_a_flood_of_guessed_tokens_fills_no_table(service: Receiver) -> None:
    for _ in range(60):
        await service.http.post("/webhooks/iacrea/guessed")
    assert len((await service.http.get("/v1/webhooks/refused")).json()["items"]) <= 30

    def fill(tx: Tx) -> int:
        for _ in range(refused_webhooks.KEPT_ROWS + 20):
            refused_webhooks.add(tx, provider="iacrea", peer="p", reason="r", now=1.0)
        return len(refused_webhooks.newest(tx, limit=10_000))

    assert await service.store.write(fill) == refused_webhooks.KEPT_ROWS


@pytest.fixture
def parked(service: Receiver) -> Parked:
    service.context.dead_commands = queue = Parked({"a1": letter("a1"), "b2": letter("b2")})
    return queue


async def test_parked_commands_are_listed_put_back_and_dropped_and_that_is_noted(
    service: Receiver, parked: Parked
) -> None:
    items = (await service.http.get("/v1/dead-commands")).json()["items"]
    assert [(item["id"], item["reason"], item["beginning"]) for item in items] == [
        ("a1", "no JSON", "abc"),
        ("b2", "no JSON", "abc"),
    ]
    assert (await service.http.post("/v1/dead-commands/a1/requeue")).status_code == 204
    assert (await service.http.delete("/v1/dead-commands/b2")).status_code == 204
    assert (parked.back, parked.there) == (["a1"], {})
    audit = (await service.http.get("/v1/audit")).json()["items"]
    assert [(entry["action"], entry["subject"]) for entry in audit] == [
        ("command_dropped", "b2"),
        ("command_requeued", "a1"),
    ]
    assert (await service.http.delete("/v1/dead-commands/b2")).status_code == 404


async def test_without_the_broker_the_parked_commands_say_so(service: Receiver, parked: Parked) -> None:
    parked.away = "connection refused"
    answer: httpx.Response = await service.http.get("/v1/dead-commands")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert "connection refused" in answer.json()["detail"]


async def test_settings_are_shown_as_the_process_was_given_them(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        service.context.shown_settings = [{"name": "REELBUS_PORT", "source": "environment", "value": 8080}]
        assert (await service.http.get("/v1/settings")).json() == {
            "items": [{"name": "REELBUS_PORT", "source": "environment", "value": 8080}]
        }
