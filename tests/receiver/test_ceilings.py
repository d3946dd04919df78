"""Nobody can take more than a share: of listeners' places, log lines, spool space, redeliveries, kept webhooks."""

import asyncio
import random
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from intake.context import Limits
from jobs.policy import LATE_RESULT_SECONDS
from process.line_limit import LINES_A_SECOND
from schemas.names import Provider
from store import attempts, webhooks
from store.transaction import Tx
from tests.support.pictures import picture
from tests.support.raw_http import connected
from tests.support.receiver import Receiver, serving
from tests.support.waiting import GIVE_UP_SECONDS

KEYS = "shop:the key of the shop,office:the key of the office"
SHOP = {"authorization": "Bearer the key of the shop"}
OFFICE = {"authorization": "Bearer the key of the office"}
NOISE = random.Random(1).randbytes(200_000)


async def test_one_key_cannot_take_every_listener_s_place(tmp_path: Path) -> None:
    limits = Limits(listeners=4, key_listeners=2)
    async with serving(tmp_path, limits=limits, api_keys=KEYS) as service, AsyncExitStack() as stack:
        for _ in range(2):
            answer = await stack.enter_async_context(service.http.stream("GET", "/v1/events", headers=SHOP))
            assert answer.status_code == 200
        refused = await service.http.get("/v1/events", headers=SHOP)
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")

        answer = await stack.enter_async_context(service.http.stream("GET", "/v1/events", headers=OFFICE))
        assert answer.status_code == 200


async def test_strangers_write_a_bounded_number_of_log_lines(tmp_path: Path) -> None:
    async with serving(tmp_path, api_keys=KEYS) as service:
        with capture_logs() as lines:
            for _ in range(300):
                assert (await service.http.get("/nowhere", headers={"authorization": ""})).status_code == 404
            await asyncio.sleep(1)
            await service.http.get("/nowhere", headers={"authorization": ""})

    told = [line for line in lines if line["event"] == "request answered"]
    assert len(told) < 300
    assert len(told) + sum(line.get("unlogged_before", 0) for line in told) == 301
    assert len(told) >= LINES_A_SECOND


async def test_redeliveries_of_one_key_have_a_rate(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(redeliveries=3), api_keys=KEYS) as service:
        video_id = await service.make()
        await service.finish(video_id)
        address = f"/v1/videos/{video_id}/redeliver"
        statuses = [(await service.http.post(address, headers=SHOP)).status_code for _ in range(4)]
        refused = await service.http.post(address, headers=SHOP)

        assert statuses == [202, 202, 202, 429]
        assert refused.json()["code"] == "rate_limited"
        assert int(refused.headers["retry-after"]) > 0
        assert (await service.http.post(address, headers=OFFICE)).status_code == 202


async def _unfinished_upload(service: Receiver, headers: dict[str, str], stack: AsyncExitStack) -> None:
    raw = await stack.enter_async_context(connected(service.port))
    head = f"POST /v1/videos HTTP/1.1\r\nhost: localhost\r\nauthorization: {headers['authorization']}\r\n"
    await raw.send(f"{head}content-type: application/json\r\ncontent-length: 300000\r\n\r\n".encode() + NOISE)


async def test_unfinished_uploads_have_a_share_of_the_spool(tmp_path: Path) -> None:
    limits = Limits(spool=1_000_000)
    async with serving(tmp_path, limits=limits, api_keys=KEYS, max_body_bytes=400_000) as service:
        spool = service.context.spool
        async with AsyncExitStack() as stack:
            for _ in range(6):
                await _unfinished_upload(service, SHOP, stack)
            async with asyncio.timeout(GIVE_UP_SECONDS):
                while spool.used < 4 * len(NOISE):
                    await asyncio.sleep(0.01)
            upload: dict[str, Any] = {"data": {"motion": "auto"}, "files": {"image": picture() + NOISE}}
            refused = await service.http.post("/v1/videos", headers=SHOP, **upload)
            assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
            assert spool.used <= spool.size // 2
            assert (await service.http.post("/v1/videos", headers=OFFICE, **upload)).status_code == 202
        async with asyncio.timeout(GIVE_UP_SECONDS):
            while spool.used:
                await asyncio.sleep(0.01)


def _end(tx: Tx, attempt_id: str, at: float) -> None:
    tx.execute("UPDATE attempts SET state = 'failed', finished_at = ? WHERE id = ?", (at, attempt_id))


async def test_a_webhook_address_ends_with_the_last_interest_in_its_attempt(service: Receiver) -> None:
    video_id = await service.make()
    attempt_id = "01900000000070008000000000000000"  # an UUIDv7 of 2024
    await service.store.write(
        attempts.add, attempt_id, video_id=video_id, number=1, provider=Provider("iacrea"), now=1.0
    )
    address = f"/webhooks/iacrea/{service.context.signer.webhook_token(attempt_id)}"
    assert (await service.http.post(address, content=b"{}")).status_code == 200

    now = service.context.now()
    await service.store.write(_end, attempt_id, now - LATE_RESULT_SECONDS + 60)
    assert (await service.http.post(address, content=b"{}")).status_code == 200
    await service.store.write(_end, attempt_id, now - LATE_RESULT_SECONDS - 1)
    for method in ("POST", "GET"):
        assert (await service.http.request(method, address)).status_code == 404


async def test_a_webhook_address_of_nothing_is_unknown(service: Receiver) -> None:
    address = f"/webhooks/iacrea/{service.context.signer.webhook_token('0' * 32)}"

    assert (await service.http.post(address, content=b"{}")).status_code == 404


async def test_the_newest_deliveries_of_an_attempt_are_kept(service: Receiver) -> None:
    attempt_id, other = uuid7().hex, uuid7().hex
    deliveries = [webhooks.Delivery(attempt_id, str(number).encode(), 1, None) for number in range(500)]
    await service.store.write(webhooks.record, [webhooks.Delivery(other, b"other", 5, None)], now=1.0)
    for start in range(0, 500, 7):
        await service.store.write(webhooks.record, deliveries[start : start + 7], now=1.0)

    kept = await service.store.read(webhooks.of_attempt, attempt_id, limit=1000)
    assert [delivery.body for delivery in kept] == [str(number).encode() for number in range(499, 299, -1)]
    assert len(await service.store.read(webhooks.of_attempt, other)) == 1


@pytest.mark.parametrize("name", ["picture", "file", "images[]"])
async def test_a_file_part_of_another_name_is_told_the_right_one(service: Receiver, name: str) -> None:
    answer = await service.http.post("/v1/videos", data={"motion": "auto"}, files={name: ("x.png", picture())})

    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"] == "image"
    assert name in error["message"]


async def test_a_field_may_come_from_a_file(service: Receiver) -> None:
    files = {"image": ("x.png", picture()), "metadata": ("m.json", b'{"house": "12"}')}
    answer = await service.http.post("/v1/videos", data={"motion": "auto"}, files=files)

    assert (answer.status_code, answer.json()["metadata"]) == (202, {"house": "12"})


async def test_slow_readers_of_one_picture_lock_nobody_out(service: Receiver) -> None:
    large = picture() + NOISE * 50
    addresses = []
    for data in (large, picture()):
        answer = await service.http.post("/v1/videos", data={"motion": "auto"}, files={"image": data})
        addresses.append(answer.json()["input_image"].removeprefix(service.context.settings.base_url))
    async with AsyncExitStack() as stack:
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=1024)
            stack.callback(writer.close)
            writer.write(f"GET {addresses[0]} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
            async with asyncio.timeout(GIVE_UP_SECONDS):
                await reader.readuntil(b"\r\n")

        assert (await service.http.get(addresses[1])).content == picture()
        busy = await service.http.get(addresses[0])
        assert (busy.status_code, busy.json()["code"]) == (503, "overloaded")
    async with asyncio.timeout(GIVE_UP_SECONDS):
        while (answer := await service.http.get(addresses[0])).status_code != 200:
            await asyncio.sleep(0.05)
    assert answer.content == large
