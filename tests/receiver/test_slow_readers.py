"""A client that does not read what it asked for loses its connection, and its place is free for others."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from intake.context import Limits
from tests.support.raw_http import connected
from tests.support.receiver import URL_REQUEST, Receiver, serving
from tests.support.waiting import GIVE_UP_SECONDS
from tests.support.weighing import alone, resident

LARGE = "/docs/assets/redoc.standalone.js"
SEND_STALL = 1.0


def _get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "host: localhost", *headers, "", ""]).encode()


async def _refused(service: Receiver) -> bool:
    return (await service.http.get("/console")).status_code == 503


async def _until(service: Receiver, *, refused: bool, within: float = GIVE_UP_SECONDS) -> None:
    async with asyncio.timeout(within):
        while await _refused(service) is not refused:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("header", ["x: y", "connection: close"])
async def test_the_places_of_clients_that_do_not_read_are_free_again(tmp_path: Path, header: str) -> None:
    async with serving(tmp_path, limits=Limits(requests=3, send_stall=SEND_STALL)) as service:
        stuck = []
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=1024)
            writer.write(_get(LARGE, header))
            stuck.append((reader, writer))
        await _until(service, refused=True)

        await _until(service, refused=False)
        for _, writer in stuck:
            writer.close()


async def test_a_client_that_reads_slowly_but_steadily_gets_everything(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(send_stall=SEND_STALL)) as service:
        whole = (await service.http.get(LARGE, headers={"accept-encoding": "identity"})).content
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=32 * 1024)
        writer.write(_get(LARGE, "connection: close"))
        received = b""
        while piece := await reader.read(128 * 1024):
            received += piece
            await asyncio.sleep(0.02)
        writer.close()

    assert received.endswith(whole)


async def test_a_client_that_asks_and_never_reads_small_answers_is_cut_off(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(send_stall=SEND_STALL)) as service, connected(service.port) as raw:
        with suppress(ConnectionError):
            async with asyncio.timeout(GIVE_UP_SECONDS):
                while True:
                    await raw.send(_get("/asyncapi.json"))


TRAILERS = b"POST /nothing HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 1000


@pytest.mark.parametrize(
    "flood",
    [_get("/x") * 400, _get("/healthz") * 400, TRAILERS, b"a: b\r\n" * 2000],
    ids=["unknown addresses", "known addresses", "trailers", "fields"],
)
async def test_a_flood_on_connections_that_are_never_read_costs_little_memory(tmp_path: Path, flood: bytes) -> None:
    async with alone(tmp_path) as (port, pid), httpx.AsyncClient(base_url=f"http://localhost:{port}") as http:
        assert (await http.post("/v1/videos", json=URL_REQUEST)).status_code == 202
        before = resident(pid)
        await asyncio.gather(*(_flood(port, flood, megabytes=2) for _ in range(8)))
        assert (await http.post("/v1/videos", json=URL_REQUEST)).status_code == 202

        assert resident(pid) - before < 30_000_000


async def _flood(port: int, piece: bytes, *, megabytes: int) -> None:
    """Send until cut off, stuck, or done."""
    sent = 0
    give_up_at = time.monotonic() + 5
    while sent < megabytes * 1_000_000 and time.monotonic() < give_up_at:
        with suppress(ConnectionError, TimeoutError):
            async with connected(port) as raw, asyncio.timeout(1):
                while sent < megabytes * 1_000_000:
                    await raw.send(piece)
                    sent += len(piece)
