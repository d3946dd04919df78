"""Fixtures: each example subscriber as a process, and a host that serves clips."""

import asyncio
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import pytest
import pytest_asyncio
from aio_pika import ExchangeType

from process.standard_webhooks import new_secret, signature_headers
from tests.examples.relay import SwallowingRelay, relay
from tests.support.broker import Broker
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
LIBRARIES = ("amqp-client", "gson", "sqlite-jdbc", "slf4j-nop", "slf4j-api")
JARS = ":".join(f"/usr/share/java/{name}.jar" for name in LIBRARIES)
COMMANDS = {
    "aio-pika": [sys.executable, str(ROOT / "examples/python/with_aio_pika.py")],
    "pika": [sys.executable, str(ROOT / "examples/python/with_pika.py")],
    "faststream": [sys.executable, str(ROOT / "examples/python/with_faststream.py")],
    "node": ["node", str(ROOT / ".run/examples/node/subscriber.mjs")],
    "java": ["java", "-Xshare:auto", "-cp", f"{ROOT}/.run/examples/java:{JARS}", "Subscriber"],
}
SECRETS = (new_secret(), new_secret())
"""The newer secret, and the older one that subscribers know still."""

CLIP = b"\x00\x00\x00\x18ftypmp42" + bytes(2048)


@dataclass
class ExampleProgram:
    """An example program, its folder, and what it has printed."""

    command: list[str]
    folder: Path
    environment: dict[str, str]
    process: asyncio.subprocess.Process | None = None
    output: list[str] = field(default_factory=list)
    _reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the program."""
        self.process = await asyncio.create_subprocess_exec(
            *self.command,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reading = asyncio.create_task(self._read(self.process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.output.append(line.decode())

    async def subscribed(self) -> None:
        """Start it, and wait until it has subscribed."""
        before = self.times("subscribed")
        await self.start()
        await self.says("subscribed", times=before + 1)

    def times(self, text: str) -> int:
        return sum(text in line for line in self.output)

    async def says(self, text: str, *, times: int = 1) -> None:
        """Wait until it has printed lines with a text."""
        await eventually(lambda: self.times(text) >= times)

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()
        if self._reading is not None:
            await self._reading

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    def listings(self) -> list[tuple[str, str, str | None, str | None]]:
        """Read what it has done: video, status, clip and trace."""
        if not (self.folder / "subscriber.db").exists():
            return []
        database = sqlite3.connect(self.folder / "subscriber.db", timeout=30)
        try:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'listings'").fetchone():
                return []
            return database.execute("SELECT video_id, status, clip, trace FROM listings ORDER BY video_id").fetchall()
        finally:
            database.close()


@pytest.fixture(scope="session", autouse=True)
def node_program() -> None:
    """Put the Node example beside its packages, where it looks for them."""
    folder = ROOT / ".run/examples/node"
    (folder / "subscriber.mjs").write_bytes((ROOT / "examples/node/subscriber.mjs").read_bytes())


@pytest_asyncio.fixture
async def line(broker: Broker) -> AsyncIterator[SwallowingRelay]:
    """Give a relay in front of the broker."""
    port = urlsplit(broker.url).port
    assert port is not None
    async with relay(port) as relaying:
        yield relaying


@asynccontextmanager
async def example(stack: str, broker: Broker, line: SwallowingRelay, folder: Path) -> AsyncIterator[ExampleProgram]:
    """Give an example that is not started yet; afterwards it is ended, and what it declared is gone."""
    exchange, queue = f"test.{folder.name}.{stack}", f"shop.{folder.name}.{stack}"
    parts = urlsplit(broker.url)
    address = parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{line.port}")).geturl()
    environment = {
        "AMQP_URL": address,
        "EXCHANGE": exchange,
        "QUEUE": queue,
        "PYTHONWARNINGS": "ignore",
        "SIGNING_SECRET": SECRETS[1],
    }
    program = ExampleProgram(COMMANDS[stack], folder, environment)
    yield program
    await program.kill()
    await asyncio.to_thread(broker.heal)
    async with broker.channel() as channel:
        await channel.queue_delete(queue)
        await channel.queue_delete(f"{queue}.dead")
        await channel.exchange_delete(exchange)


@pytest_asyncio.fixture(params=list(COMMANDS))
async def subscriber(
    request: pytest.FixtureRequest, broker: Broker, line: SwallowingRelay, tmp_path: Path
) -> AsyncIterator[ExampleProgram]:
    async with example(request.param, broker, line, tmp_path) as program:
        yield program


@pytest_asyncio.fixture
async def subscribers(broker: Broker, line: SwallowingRelay, tmp_path: Path) -> AsyncIterator[list[ExampleProgram]]:
    """Give all examples at once, each in a folder of its own."""
    async with AsyncExitStack() as opened:
        programs = []
        for stack in COMMANDS:
            folder = tmp_path / f"{tmp_path.name}-{stack}"
            folder.mkdir()
            programs.append(await opened.enter_async_context(example(stack, broker, line, folder)))
        yield programs


@pytest_asyncio.fixture
async def clips() -> AsyncIterator[str]:
    """Serve a clip, and give its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(CLIP)}\r\nContent-Type: video/mp4\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + CLIP)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/clip.mp4"
    server.close()


async def declare(broker: Broker, exchange: str) -> None:
    """Declare the exchange as reelbus does."""
    async with broker.channel() as channel:
        await channel.declare_exchange(exchange, ExchangeType.TOPIC, durable=True)


async def publish(
    broker: Broker, exchange: str, routing_key: str, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    """Publish a persistent message with reelbus's content type, signed unless it comes with headers."""
    signed = signature_headers(*SECRETS, message_id="any", timestamp=int(time.time()), body=body)
    async with broker.channel() as channel:
        message = aio_pika.Message(
            body,
            content_type="application/cloudevents+json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            headers=dict(signed if headers is None else headers),
        )
        await (await channel.get_exchange(exchange)).publish(message, routing_key)


async def depth(broker: Broker, queue: str) -> int:
    """Count what waits in a queue."""
    async with broker.channel() as channel:
        declared = await channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0
