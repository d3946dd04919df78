"""The stand-ins start, tell where, and stop at once, whatever is under way; they go nowhere but loopback."""

import asyncio
import time

import httpx
import pytest

from sandbox.loopback import Loopback, OutOfReach, Unreachable
from sandbox.server import serve
from sandbox.settings import SandboxSettings
from tests.sandbox.server import Catcher, Opener

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_stopping_does_not_wait_for_a_hang() -> None:
    started, stop = asyncio.Event(), asyncio.Event()
    urls: list[str] = []
    serving = asyncio.create_task(
        serve(SandboxSettings(port=0), started, stop, lambda where: urls.append(where.sandbox))
    )
    await started.wait()
    async with httpx.AsyncClient(base_url=urls[0], trust_env=False) as http:
        await http.post("/sandbox/outage", json={"provider": "homedesigns", "mode": "hang"})
        hanging = asyncio.create_task(http.get("/api/v2/user_info"))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        stop.set()
        await serving
        assert time.monotonic() - began < 10
        with pytest.raises(httpx.TransportError):
            await hanging


async def test_a_taken_port_is_an_error_at_once(open_stand: Opener) -> None:
    stand = await open_stand()
    taken = int(stand.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        await serve(SandboxSettings(port=taken), None, asyncio.Event())


@pytest.mark.parametrize(
    ("url", "reachable"),
    [
        ("http://127.0.0.1:8080/x", True),
        ("http://127.8.8.8/x", True),
        ("http://[::1]:8080/x", True),
        ("http://localhost/x", True),
        ("http://receiver:8080/x", True),
        ("http://other:8080/x", False),
        ("https://127.0.0.1/x", False),
        ("http://10.0.0.1/x", False),
        ("http://169.254.169.254/x", False),
        ("http://localhost.example/x", False),
        ("http://127.0.0.1:port/x", False),
        ("http:///x", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
async def test_only_loopback_and_named_hosts_are_in_reach(url: str, reachable: bool) -> None:  # noqa: FBT001
    assert Loopback(("receiver",)).may_reach(url) is reachable


async def test_a_document_is_bounded(catcher: Catcher) -> None:
    with pytest.raises(Unreachable, match="more than 100 bytes"):
        await Loopback().fetch(f"{catcher.url}/picture.png", limit=100, timeout=2)


async def test_a_redirect_out_of_reach_is_not_followed() -> None:
    async def away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: http://203.0.113.9/\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(away, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(OutOfReach):
            await Loopback().fetch(f"http://127.0.0.1:{port}/", limit=100, timeout=2)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
            b"abcde",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", None),
        (b"nonsense\r\n\r\n", None),
        (b"", None),
    ],
)
async def test_answers_are_read_in_every_framing(answer: bytes, body: bytes | None) -> None:
    async def serve_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve_once, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        if body is None:
            with pytest.raises(Unreachable):
                await Loopback().fetch(url, limit=100, timeout=2)
        else:
            assert (await Loopback().fetch(url, limit=100, timeout=2)).body == body
