"""Slow, oversized and broken senders cost little and are sent away, and everybody else is served meanwhile."""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from receiver.context import Limits
from tests.receiver.serving import URL_REQUEST, Service, free_port, picture, serving

HEAD = "POST /v1/videos HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


@dataclass
class Raw:
    """A bare connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *parts: str | bytes) -> None:
        for part in parts:
            self.writer.write(part.encode() if isinstance(part, str) else part)
        await self.writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        """Give the status and all the bytes, to the end of the connection or of the answer."""
        async with asyncio.timeout(15):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            body = await self.reader.readexactly(int(length[1])) if length else b""
        return int(head.split()[1]), body

    async def closed(self) -> bool:
        """Say whether the other side closes without another word."""
        async with asyncio.timeout(15):
            return await self.reader.read() == b""


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Raw(reader, writer)
    finally:
        writer.close()


@pytest.fixture
async def brisk(tmp_path: Path) -> AsyncIterator[Service]:
    """Give a receiver with little patience and little room."""
    limits = Limits(body_stall=0.3, head_seconds=0.3)
    async with serving(tmp_path, limits=limits, max_body_bytes=100_000) as service:
        yield service


async def test_a_body_at_the_limit_is_taken_one_byte_more_is_not(brisk: Service) -> None:
    room = 100_000 - len(b'{"image_url": "https://example.com/a", "motion": "auto", "prompt": ""}')
    for spaces, status in ((room, 202), (room + 1, 413)):
        body = b'{"image_url": "https://example.com/a", "motion": "auto", "prompt": ""' + b" " * spaces + b"}"
        answer = await brisk.http.post("/v1/videos", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == status


async def test_an_upload_over_the_limit_is_told_so(brisk: Service) -> None:
    answer = await brisk.http.post(
        "/v1/videos", data={"motion": "auto"}, files={"image": picture() + bytes(3_000_000)}
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert "100000" in answer.json()["detail"]


async def test_a_length_that_is_announced_is_refused_before_it_comes(brisk: Service) -> None:
    async with connected(brisk.port) as raw:
        await raw.send(HEAD, "content-length: 100001\r\n\r\n")

        assert (await raw.answer())[0] == 413


@pytest.mark.parametrize("length", ["99999999999999999999999999", "-1", "1e3", "0x10", "", "5, 5"])
async def test_a_length_that_is_none_is_refused(brisk: Service, length: str) -> None:
    async with connected(brisk.port) as raw:
        await raw.send(HEAD, f"content-length: {length}\r\n\r\n")

        assert (await raw.answer())[0] in {400, 413}


async def test_a_body_without_a_length_is_bounded_all_the_same(brisk: Service) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield bytes(10_000)

    with pytest.raises(httpx.WriteError) if False else _anything():
        answer = await brisk.http.post("/v1/videos", content=endless(), headers={"content-type": "application/json"})
        assert answer.status_code == 413


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield
