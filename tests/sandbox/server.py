"""A running pair of stand-ins on a port of its own, and a place that catches their webhooks."""

import asyncio
import json
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from sandbox.server import Addresses, serve
from sandbox.settings import SandboxSettings

KEY = {"x-api-key": "sandbox-iacrea-key"}
USER = SandboxSettings().iacrea_user_id
BEARER = {"authorization": "Bearer sandbox-homedesigns-token"}
GENERATE = "/api/animation/v2/generate"
VIDEO = "/api/v2/video_generation"
QUICK: dict[str, object] = {"port": 0, "render_seconds": 0.05, "jitter": 0.0, "render_clips": False}


def png(width: int = 640, height: int = 512, shade: int = 90) -> bytes:
    """Make a grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\0" + bytes([shade]) * width) * height
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@dataclass
class Caught:
    """A request that reached the catcher."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> dict[str, object]:
        told = json.loads(self.body)
        assert isinstance(told, dict)
        return told


@dataclass
class Catcher:
    """Plain HTTP on loopback: keeps every request, serves a picture, answers 200."""

    url: str = ""
    requests: list[Caught] = field(default_factory=list)

    @property
    def webhooks(self) -> list[Caught]:
        return [each for each in self.requests if each.method == "POST"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split(" ", 2)
            lines = (line.partition(":") for line in head.split("\r\n")[1:] if line)
            headers = {name.lower(): value.strip() for name, _, value in lines}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.requests.append(Caught(method, path, headers, body))
            writer.write(self._answer(path))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @staticmethod
    def _answer(path: str) -> bytes:
        if path.startswith("/moved"):
            return b"HTTP/1.1 302 Found\r\nlocation: /picture.png\r\ncontent-length: 0\r\n\r\n"
        if path.startswith("/page"):
            return b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\npage"
        if path.startswith("/missing"):
            return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
        body = png()
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body


@dataclass
class SandboxServer:
    """The running stand-ins, and short ways to speak to them."""

    url: str
    addresses: Addresses
    http: httpx.AsyncClient

    async def plan(self, provider: str, behaviour: object, **more: object) -> None:
        answer = await self.http.post("/sandbox/plan", json={"provider": provider, "behaviour": behaviour, **more})
        assert answer.status_code == 200, answer.text

    async def generate(self, **more: object) -> httpx.Response:
        body: dict[str, object] = {
            "user_id": USER,
            "image_urls": ["http://pictures.example/a.png"],
            "option": "ZOOM_IN",
        }
        return await self.http.post(GENERATE, headers=KEY, json=body | more)

    async def get(self, job_id: object) -> httpx.Response:
        body = {"user_id": USER, "generation_id": job_id}
        return await self.http.post("/api/animation/v2/get", headers=KEY, json=body)

    async def video(self, picture: bytes | None = None, tool: str = "zoom_in", name: str = "a.png") -> httpx.Response:
        files = {"image": (name, png() if picture is None else picture)}
        return await self.http.post(VIDEO, headers=BEARER, files=files, data={"tool_name": tool})

    async def status(self, job_id: object) -> httpx.Response:
        return await self.http.get(f"{VIDEO}/status_check/{job_id}", headers=BEARER)

    async def records(self) -> list[dict[str, object]]:
        records = (await self.http.get("/sandbox/records")).json()["records"]
        assert isinstance(records, list)
        return records

    async def last(self) -> dict[str, object]:
        return (await self.records())[-1]

    async def summary(self, provider: str) -> dict[str, object]:
        summary = (await self.http.get("/sandbox/records/summary")).json()[provider]
        assert isinstance(summary, dict)
        return summary


Opener = Callable[..., Awaitable[SandboxServer]]


@asynccontextmanager
async def running(settings: SandboxSettings) -> AsyncIterator[SandboxServer]:
    started, stop = asyncio.Event(), asyncio.Event()
    heard: list[Addresses] = []
    serving = asyncio.create_task(serve(settings, started, stop, heard.append))
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if serving.done():
        serving.result()
    try:
        async with httpx.AsyncClient(base_url=heard[0].sandbox, timeout=5, trust_env=False) as http:
            yield SandboxServer(heard[0].sandbox, heard[0], http)
    finally:
        stop.set()
        await serving
