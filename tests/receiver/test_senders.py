"""Slow, oversized and broken senders cost little and are sent away, and everybody else is served meanwhile."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from intake.context import Limits
from tests.support.pictures import picture
from tests.support.receiver import URL_REQUEST, Receiver, serving
from tests.support.waiting import GIVE_UP_SECONDS
from tests.support.weighing import alone, resident

HEAD = "POST /v1/videos HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


@dataclass
class RawRequest:
    """A bare connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *parts: str | bytes) -> None:
        for part in parts:
            self.writer.write(part.encode() if isinstance(part, str) else part)
        await self.writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        """Give the status and all the bytes, to the end of the connection or of the answer."""
        async with asyncio.timeout(GIVE_UP_SECONDS):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            body = await self.reader.readexactly(int(length[1])) if length else b""
        return int(head.split()[1]), body

    async def until_cut_off(self, piece: bytes) -> None:
        """Send the same piece again and again until the other side has closed."""
        with suppress(ConnectionError):
            async with asyncio.timeout(GIVE_UP_SECONDS):
                while True:
                    await self.send(piece)
                    await asyncio.sleep(0.02)

    async def closed(self) -> bool:
        """Say whether the other side closes without another word."""
        async with asyncio.timeout(GIVE_UP_SECONDS):
            return await self.reader.read() == b""


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[RawRequest]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield RawRequest(reader, writer)
    finally:
        writer.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def brisk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Receiver]:
    """Give a receiver with short time-outs and little room; its tests run in their module's event loop."""
    limits = Limits(body_stall=0.3, head_seconds=0.3)
    async with serving(tmp_path_factory.mktemp("brisk"), limits=limits, max_body_bytes=100_000) as service:
        yield service


@pytest.mark.asyncio(loop_scope="module")
async def test_a_body_at_the_limit_is_taken_one_byte_more_is_not(brisk: Receiver) -> None:
    room = 100_000 - len(b'{"image_url": "https://example.com/a", "motion": "auto", "prompt": ""}')
    for spaces, status in ((room, 202), (room + 1, 413)):
        body = b'{"image_url": "https://example.com/a", "motion": "auto", "prompt": ""' + b" " * spaces + b"}"
        answer = await brisk.http.post("/v1/videos", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == status


@pytest.mark.asyncio(loop_scope="module")
async def test_an_upload_over_the_limit_is_told_so(brisk: Receiver) -> None:
    answer = await brisk.http.post("/v1/videos", data={"motion": "auto"}, files={"image": picture() + bytes(3_000_000)})

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large"), answer.text
    assert "100000" in answer.json()["detail"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_length_that_is_announced_is_refused_before_it_comes(brisk: Receiver) -> None:
    async with connected(brisk.port) as raw:
        await raw.send(HEAD, "content-length: 100001\r\n\r\n")

        assert (await raw.answer())[0] == 413


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("length", ["99999999999999999999999999", "-1", "1e3", "0x10", "", "5, 5"])
async def test_a_length_that_is_none_is_refused(brisk: Receiver, length: str) -> None:
    async with connected(brisk.port) as raw:
        await raw.send(HEAD, f"content-length: {length}\r\n\r\n")

        assert (await raw.answer())[0] in {400, 413}


@pytest.mark.asyncio(loop_scope="module")
async def test_a_body_without_a_length_is_bounded_all_the_same(brisk: Receiver) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield bytes(10_000)

    answer = await brisk.http.post("/v1/videos", content=endless(), headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large"), answer.text


@pytest.mark.asyncio(loop_scope="module")
async def test_a_sender_that_goes_on_after_the_answer_is_cut_off(brisk: Receiver) -> None:
    async with connected(brisk.port) as raw:
        await raw.send(HEAD, "transfer-encoding: chunked\r\n\r\n", b"20000\r\n" + bytes(0x20000) + b"\r\n")
        assert (await raw.answer())[0] == 413

        await raw.until_cut_off(b"1000\r\n" + bytes(0x1000) + b"\r\n")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("start", ["", "{", '{"motion": '])
async def test_a_body_that_stalls_is_given_up(brisk: Receiver, start: str) -> None:
    async with connected(brisk.port) as raw:
        await raw.send(HEAD, "content-length: 1000\r\n\r\n", start)
        began = time.monotonic()
        status, body = await raw.answer()

    assert status == 408
    assert b'"request_timeout"' in body
    assert time.monotonic() - began < 15


@pytest.mark.asyncio(loop_scope="module")
async def test_a_body_that_drips_counts_as_stalled(brisk: Receiver) -> None:
    async with connected(brisk.port) as raw:
        await raw.send(HEAD, "content-length: 1000\r\n\r\n")
        dripping = asyncio.create_task(_drip(raw))
        assert (await raw.answer())[0] == 408
        dripping.cancel()


async def _drip(raw: RawRequest) -> None:
    while True:
        await raw.send(b" ")
        await asyncio.sleep(0.02)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_slow_body_that_keeps_coming_is_taken(brisk: Receiver) -> None:
    body = b" " * 60_000 + b'{"image_url": "https://example.com/a", "motion": "auto"}'
    async with connected(brisk.port) as raw:
        await raw.send(HEAD, f"content-length: {len(body)}\r\n\r\n")
        for start in range(0, len(body), 8_000):
            await raw.send(body[start : start + 8_000])
            await asyncio.sleep(0.1)
        assert (await raw.answer())[0] == 202


@pytest.mark.asyncio(loop_scope="module")
async def test_a_webhook_that_stalls_is_recorded_and_told(brisk: Receiver) -> None:
    token = brisk.context.signer.webhook_token("f" * 32)
    async with connected(brisk.port) as raw:
        await raw.send(f"POST /webhooks/iacrea/{token} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
        assert (await raw.answer())[0] == 408


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("start", [b"", b"\r\n", b"GET", b"GET / HTTP/1.1\r\nhost: x\r\n"])
async def test_a_head_that_does_not_come_is_not_waited_for(brisk: Receiver, start: bytes) -> None:
    async with connected(brisk.port) as raw:
        await raw.send(start)

        assert await raw.closed()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_head_that_drips_is_not_waited_for(brisk: Receiver) -> None:
    async with connected(brisk.port) as raw:
        await raw.send("GET / HTTP/1.1\r\n")
        began = time.monotonic()
        await raw.until_cut_off(b"x: y\r\n")

    assert time.monotonic() - began < 15


@pytest.mark.asyncio(loop_scope="module")
async def test_a_second_head_on_a_connection_has_a_deadline_too(brisk: Receiver) -> None:
    async with connected(brisk.port) as raw:
        await raw.send("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await raw.answer())[0] == 200
        await raw.send("GET /he")

        assert await raw.closed()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "head",
    [
        "GET /" + "a" * 70_000 + " HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nx: " + "a" * 70_000 + "\r\n\r\n",
        "GET / HTTP/1.1\r\n" + "x: y\r\n" * 20_000 + "\r\n",
        "GET / HTTP/1.1\r\n" + "x: y\r\n" * 101 + "\r\n",
        "GET / HTTP/1.1\r\nx: " + "a" * 200_000,
    ],
    ids=["address", "field", "fields", "a hundred and one fields", "field without end"],
)
async def test_a_head_out_of_bounds_is_refused(brisk: Receiver, head: str) -> None:
    async with connected(brisk.port) as raw:
        await raw.send(head)
        status, body = await raw.answer()

    assert status == 400
    assert b'"bad_request"' in body


async def test_more_requests_than_there_is_room_for_are_sent_away(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(requests=5)) as service:
        waiting = [await _open_post(service.port) for _ in range(5)]

        answer = await service.http.post("/v1/videos", json=URL_REQUEST)
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"]
        assert (await service.http.get("/healthz")).status_code == 200

        for writer in waiting:
            writer.close()
        async with asyncio.timeout(5):
            while (await service.http.get("/v1/videos")).status_code != 200:
                await asyncio.sleep(0.02)


async def _open_post(port: int) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{HEAD}content-length: 9000\r\n\r\n".encode() + b" " * 4000)
    await writer.drain()
    return writer


async def test_a_caller_that_leaves_leaves_no_trace_in_the_log(
    service: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    for writer in [await _open_post(service.port) for _ in range(20)]:
        writer.close()
    await service.http.get("/healthz")
    await asyncio.sleep(0.1)

    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]


def _bodies(senders: int) -> Iterable[tuple[str, bytes]]:
    """Give each sender its head and the part of its body that comes at once."""
    for number in range(senders):
        if number % 2:
            yield "transfer-encoding: chunked\r\n\r\n", (b"40000\r\n" + bytes(0x40000) + b"\r\n") * 4
        else:
            yield "content-length: 20000000\r\n\r\n", bytes(1_000_000)


async def _slow_sender(port: int, head: str, body: bytes) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD.encode() + head.encode())
    for start in range(0, len(body), 100_000):
        writer.write(body[start : start + 100_000])
        await writer.drain()
    return writer


async def test_hundreds_of_slow_and_large_senders_cost_little_memory(tmp_path: Path) -> None:
    async with alone(tmp_path) as (port, pid), httpx.AsyncClient(base_url=f"http://localhost:{port}") as http:
        assert (await http.post("/v1/videos", json=URL_REQUEST)).status_code == 202
        before = resident(pid)

        writers = await asyncio.gather(*(_slow_sender(port, head, body) for head, body in _bodies(250)))
        began = time.monotonic()
        assert (await http.post("/v1/videos", json=URL_REQUEST)).status_code == 202
        took = time.monotonic() - began
        grown = resident(pid) - before
        for writer in writers:
            writer.close()

    assert took < 10
    assert grown < 40_000_000
