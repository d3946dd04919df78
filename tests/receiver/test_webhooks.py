"""A webhook on a token of ours is recorded durably and answered 200, whatever it brings; any other is a plain 404."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from intake.context import Limits
from jobs import unconfirmed
from process.tokens import Signer
from tests.support.receiver import Receiver, serving

ATTEMPT = "f123456789abcdef" * 2


def _address(service: Receiver, attempt: str = ATTEMPT) -> str:
    return f"/webhooks/iacrea/{service.context.signer.webhook_token(attempt)}"


async def _kept(service: Receiver, attempt: str = ATTEMPT) -> list[Any]:
    return list(reversed(await service.store.read(unconfirmed.kept, attempt)))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"status": "SUCCEEDED"}'),
        ("application/json", b"{not json"),
        ("text/html", b"<h1>hello</h1>"),
        ("multipart/form-data", b"no boundary"),
        ("application/x-www-form-urlencoded", b"id=1"),
        ("application/octet-stream", bytes(range(256))),
        ("", b""),
    ],
)
async def test_any_body_is_recorded_as_it_came(shared: Receiver, method: str, kind: str, body: bytes) -> None:
    attempt = "ff" + os.urandom(15).hex()
    address = _address(shared, attempt)

    answer = await shared.http.request(method, address, content=body, headers={"content-type": kind})

    assert (answer.status_code, answer.content) == (200, b"{}")
    [delivery] = await _kept(shared, attempt)
    assert (delivery.body, delivery.size, delivery.content_type or "") == (body, len(body), kind)


async def test_what_is_over_64_kib_is_dropped_not_refused(service: Receiver) -> None:
    for size in (65_536, 65_537, 3_000_000):
        answer = await service.http.post(_address(service), content=bytes(size))
        assert (answer.status_code, answer.content) == (200, b"{}")

    assert [(delivery.size, delivery.body is None) for delivery in await _kept(service)] == [
        (65_536, False),
        (65_537, True),
        (3_000_000, True),
    ]


async def test_a_body_larger_than_any_request_still_counts(tmp_path: Path) -> None:
    async with serving(tmp_path, max_body_bytes=100_000) as service:
        answer = await service.http.post(_address(service), content=bytes(2_000_000))

        assert answer.status_code == 200
        assert len(await _kept(service)) == 1


async def test_looking_at_a_valid_address_does_nothing(service: Receiver) -> None:
    for method in ("GET", "HEAD"):
        assert (await service.http.request(method, _address(service))).status_code == 200

    assert await _kept(service) == []


async def test_other_methods_are_not_allowed(service: Receiver) -> None:
    answer = await service.http.delete(_address(service))

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def _not_ours(token: str) -> dict[str, str]:
    return {
        "nothing": "",
        "a word": "token",
        "one more letter": token + "A",
        "one letter less": token[:-1],
        "another letter": ("B" if token[0] != "B" else "C") + token[1:],
        "padding": token + "=",
        "another secret's": Signer(["another secret of the tests"]).webhook_token(ATTEMPT),
        "a picture's": Signer(["a secret of the tests"]).media_token(
            "01a1fb80-55bb-754f-a0b3-000000000000", expires_at=4e9
        ),
        "a further part": token + "/x",
        "not ASCII": "%C3%BC" * 10,
        "NUL": "%00",
        "very long": "A" * 10_000,
    }


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", _not_ours("x" * 43))
async def test_any_other_token_is_an_unknown_address(shared: Receiver, case: str) -> None:
    token = _not_ours(shared.context.signer.webhook_token(ATTEMPT))[case]
    unknown = await shared.http.post("/no/such/address", content=b"x")

    answer = await shared.http.post(f"/webhooks/iacrea/{token}", content=b"x")

    assert answer.status_code == 404
    assert answer.content == unknown.content
    of_each_request = {"date", "x-request-id"}
    assert {k: v for k, v in answer.headers.items() if k not in of_each_request} == {
        k: v for k, v in unknown.headers.items() if k not in of_each_request
    }


async def test_an_older_secret_still_opens_its_addresses(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        address = _address(service)
        service.context.signer = Signer(["a newer secret of the tests", "a secret of the tests"])
    async with serving(tmp_path) as service:
        assert (await service.http.post(address)).status_code == 200


async def test_no_key_is_needed(tmp_path: Path) -> None:
    async with serving(tmp_path, api_keys="shop:shop-key-of-tests") as service:
        answer = await service.http.post(_address(service), headers={"authorization": "Bearer wrong"})

        assert answer.status_code == 200


async def test_a_flood_on_one_token_is_recorded_in_groups(service: Receiver) -> None:
    answers = await asyncio.gather(*(service.http.post(_address(service), content=b"{}") for _ in range(150)))

    assert {answer.status_code for answer in answers} == {200}
    kept = await service.store.read(_rows)
    assert 10 < kept < 60


async def test_a_clock_put_back_after_a_flood_makes_no_later_body_part_of_it(service: Receiver) -> None:
    for _ in range(12):
        await service.http.post(_address(service), content=b"{}")
    real = service.context.now
    service.context.now = lambda: real() - 3600
    await service.http.post(_address(service), content=b'{"after": "the step"}')
    assert b'{"after": "the step"}' in [delivery.body for delivery in await _kept(service)]


def _rows(tx: Any) -> int:
    count: int = tx.execute("SELECT COUNT(*) FROM webhooks").fetchone()[0]
    return count


@pytest.fixture
async def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    """Give a receiver whose store another process holds."""
    monkeypatch.setattr("store.sqlite.BUSY_SECONDS", 0.2)
    async with serving(tmp_path) as service:
        other = sqlite3.connect(tmp_path / "reelbus.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield service
        other.execute("ROLLBACK")
        other.close()


async def test_what_cannot_be_recorded_is_not_acknowledged(locked: Receiver) -> None:
    answer = await locked.http.post(_address(locked), content=b"{}")

    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert int(answer.headers["retry-after"]) > 0


async def test_a_video_that_cannot_be_kept_is_not_accepted(locked: Receiver) -> None:
    answer = await locked.http.post("/v1/videos", json={"image_url": "https://example.com/a", "motion": "auto"})

    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")


async def test_readiness_tells_that_the_store_cannot_be_written(locked: Receiver) -> None:
    answer = await locked.http.get("/readyz")

    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert [fault["field"] for fault in answer.json()["errors"]] == ["store"]
    assert (await locked.http.get("/healthz")).status_code == 200


async def test_more_than_can_wait_is_refused_at_once(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(waiting_writes=3)) as service:
        addresses = [_address(service, "ff" + os.urandom(15).hex()) for _ in range(40)]
        answers = await asyncio.gather(*(service.http.post(address) for address in addresses))

        statuses = [answer.status_code for answer in answers]
        assert set(statuses) <= {200, 503}
        assert 200 in statuses
        recorded = [
            await _kept(service, service.context.signer.attempt_of(address[17:]) or "") for address in addresses
        ]
        assert [bool(deliveries) for deliveries in recorded] == [status == 200 for status in statuses]
        for answer in answers:
            if answer.status_code == 503:
                assert answer.json()["code"] == "overloaded"
                assert answer.headers["retry-after"]


async def test_a_sender_that_leaves_halfway_still_brought_news(service: Receiver) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(f"POST {_address(service)} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf".encode())
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.close()

    async with asyncio.timeout(5):
        while not (kept := await _kept(service)):
            await asyncio.sleep(0.02)
    assert [delivery.body for delivery in kept] == [None]
