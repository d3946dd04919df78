"""A command means what the same request over HTTP means, under idempotency keys of its own."""

import asyncio
import base64
import json
import sqlite3
from pathlib import Path

import pytest

from intake import commands
from intake.commands import Reply
from intake.context import Context, Limits
from store.database import StoreUnavailable
from tests.support.pictures import picture
from tests.support.receiver import URL_REQUEST, Receiver, serving


async def _handle(context: Context, fields: object, message_id: str | None = None) -> Reply:
    return await commands.handle(context, json.dumps(fields).encode(), message_id)


async def test_a_command_is_answered_with_the_video(service: Receiver) -> None:
    reply = await _handle(service.context, URL_REQUEST)

    assert reply.accepted
    assert reply.document == (await service.http.get(f"/v1/videos/{reply.document['id']}")).json()


async def test_a_picture_may_come_inside(service: Receiver) -> None:
    encoded = base64.b64encode(picture(2000, 2000, mode="L", kind="JPEG") + bytes(500_000)).decode()

    reply = await _handle(service.context, {"image_base64": encoded, "motion": "auto"})

    assert reply.accepted


async def test_the_same_message_again_gives_the_same_video(service: Receiver) -> None:
    replies = await asyncio.gather(*(_handle(service.context, URL_REQUEST, "order 17") for _ in range(10)))

    assert len({reply.document["id"] for reply in replies}) == 1
    assert all(reply.accepted for reply in replies)


async def test_another_command_under_the_same_id_is_a_conflict(service: Receiver) -> None:
    await _handle(service.context, URL_REQUEST, "order 17")

    reply = await _handle(service.context, {**URL_REQUEST, "prompt": "other"}, "order 17")

    assert not reply.accepted
    assert (reply.document["status"], reply.document["code"]) == (409, "idempotency_conflict")


async def test_commands_have_a_key_space_of_their_own(service: Receiver) -> None:
    await service.http.post("/v1/videos", json=URL_REQUEST, headers={"idempotency-key": "order 17"})

    reply = await _handle(service.context, {**URL_REQUEST, "prompt": "other"}, "order 17")

    assert reply.accepted


@pytest.mark.parametrize("message_id", [None, ""])
async def test_without_an_id_every_command_makes_a_video(service: Receiver, message_id: str | None) -> None:
    replies = [await _handle(service.context, URL_REQUEST, message_id) for _ in range(2)]

    assert replies[0].document["id"] != replies[1].document["id"]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_request"),
        (b"{", 400, "bad_request"),
        (b"\xff", 400, "bad_request"),
        (b"[" * 100_000, 400, "bad_request"),
        (b"[]", 400, "bad_request"),
        (b"{}", 422, "invalid_request"),
        (b'{"image_url": "http://127.0.0.1/", "motion": "auto"}', 422, "invalid_request"),
        (b'{"image_base64": "aGVsbG8=", "motion": "auto"}', 422, "image_rejected"),
        (
            b'{"image_url": "https://example.com/a", "motion": "look_up", "provider": "iacrea"}',
            422,
            "motion_unsupported",
        ),
    ],
)
async def test_a_refused_command_is_answered_with_the_problem(
    shared: Receiver, body: bytes, status: int, code: str
) -> None:
    reply = await commands.handle(shared.context, body, "id")

    assert not reply.accepted
    assert (reply.document["status"], reply.document["code"]) == (status, code)
    assert reply.readable is (code != "bad_request")
    assert (await shared.http.get("/v1/videos")).json()["items"] == []


async def test_a_command_over_the_limit_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, max_body_bytes=2_000) as service:
        reply = await _handle(service.context, {**URL_REQUEST, "prompt": "x" * 2_000})

    assert reply.document["code"] == "payload_too_large"


async def test_a_command_that_cannot_be_kept_is_to_be_handled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.sqlite.BUSY_SECONDS", 0.1)
    async with serving(tmp_path) as service:
        other = sqlite3.connect(tmp_path / "reelbus.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            await _handle(service.context, URL_REQUEST)
        other.execute("ROLLBACK")
        other.close()


async def test_a_command_that_finds_too_many_waiting_is_to_be_handled_again(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(waiting_writes=0)) as service:
        with pytest.raises(StoreUnavailable):
            await _handle(service.context, URL_REQUEST)


async def test_commands_have_a_budget_of_their_own_where_one_is_set(tmp_path: Path) -> None:
    async with serving(tmp_path, commands_budget=2) as service:
        replies = await asyncio.gather(*(_handle(service.context, URL_REQUEST) for _ in range(5)))
        await service.make()

    assert [reply.accepted for reply in replies].count(True) == 2
    assert {(reply.document["status"], reply.document["code"]) for reply in replies if not reply.accepted} == {
        (429, "budget_exhausted")
    }
