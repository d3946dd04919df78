"""The way back to us is asked for, and its loss is told; a way that never was there is not said to be lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from process import metrics
from process.settings import Settings
from process.tokens import Signer
from reelbus import public_address
from reelbus.public_address import PublicAddress, leads_back
from schemas.status import Reachable
from tests.support.ports import free_port
from tests.support.receiver import serving
from tests.support.tcp_relay import TcpRelay, relay
from tests.support.waiting import eventually

OPEN = Reachable(ready=True, fault=None)


@dataclass
class WayBack:
    """A receiver, the network before it, and what asks for the way back."""

    network: TcpRelay
    address: PublicAddress
    http: httpx.AsyncClient
    receiver: httpx.AsyncClient

    async def look(self) -> Reachable | None:
        await self.address.look(self.http)
        return self.address.state

    async def told(self) -> object:
        return (await self.receiver.get("/v1/status")).json()["public_address"]


@asynccontextmanager
async def route(folder: Path) -> AsyncIterator[WayBack]:
    port = free_port()
    async with (
        relay(port) as network,
        serving(folder, port=port, public_url=f"http://127.0.0.1:{network.port}") as receiver,
        httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0)) as http,
    ):
        context = receiver.context
        context.public_route = address = PublicAddress(context.settings, context.signer)
        yield WayBack(network, address, http, receiver.http)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_address, "_AGAIN_SECONDS", 0.0)


async def test_a_way_back_that_was_there_and_is_cut_is_told_until_it_is_open_again(tmp_path: Path) -> None:
    async with route(tmp_path) as on:
        assert await on.look() == OPEN
        on.network.refuses = True
        with capture_logs() as lines:
            lost = await on.look()
            assert (await on.look()) == lost
        assert lost is not None
        assert lost.fault is not None
        assert f"nothing answers at http://127.0.0.1:{on.network.port}" in lost.fault
        assert [(line["event"], line["log_level"]) for line in lines] == [("public address lost", "warning")]
        assert metrics.REGISTRY.get_sample_value("reelbus_public_address_lost") == 1
        assert await on.told() == {"ready": False, "fault": lost.fault}

        on.network.refuses = False
        assert await on.look() == OPEN
        assert metrics.REGISTRY.get_sample_value("reelbus_public_address_lost") == 0
        assert await on.told() == {"ready": True, "fault": None}


async def test_a_network_that_swallows_everything_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with route(tmp_path) as on:
        assert await on.look() == OPEN
        monkeypatch.setattr(public_address, "_TIMEOUT_SECONDS", 0.3)
        on.network.hold()
        lost = await on.look()
    assert lost is not None
    assert lost.fault is not None
    assert "within 0.3 s" in lost.fault


async def test_one_request_that_is_lost_is_no_loss_of_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with route(tmp_path) as on:
        assert await on.look() == OPEN
        on.network.refuses = True

        async def mended(_: float) -> None:
            on.network.refuses = False

        monkeypatch.setattr("reelbus.public_address.asyncio.sleep", mended)
        assert await on.look() == OPEN


async def test_a_way_back_that_never_was_there_is_not_called_lost(tmp_path: Path) -> None:
    async with route(tmp_path) as on:
        on.network.refuses = True
        assert await on.look() is None
        assert await on.told() is None
        assert metrics.REGISTRY.get_sample_value("reelbus_public_address_lost") == 0


async def test_it_asks_by_itself_until_it_is_told_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_address, "_EVERY_SECONDS", 0.05)
    async with route(tmp_path) as on:
        stop = asyncio.Event()
        watching = asyncio.create_task(on.address.watch(stop))
        await eventually(lambda: on.address.state == OPEN)
        on.network.refuses = True
        await eventually(lambda: on.address.state is not None and not on.address.state.ready)
        stop.set()
        await asyncio.wait_for(watching, 5)


async def test_of_a_stranger_who_answers_without_end_no_more_is_read_than_ours_would_say() -> None:
    sent = 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(bytes(4096))
                sent += 4096
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(flood, "127.0.0.1", 0)
    settings = Settings.read(
        {"REELBUS_PUBLIC_URL": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}, file=None
    )
    async with server:
        verdict, detail, _ = await leads_back(settings, Signer(["a secret of the tests"]))
    assert (verdict, "not as a receiver with our webhook secret does" in detail) == ("fail", True)
    assert sent < 20_000_000  # what sockets hold
