"""A RabbitMQ of the tests' own, what can be done to it, and subscribers that outlive all of it.

The node is started once for a whole run, on loopback, and ends with the run. A test that asks for `broker`
gets it running and unharmed, whatever the test before did to it.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aio_pika
import pytest
import pytest_asyncio
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from pydantic import SecretStr

from process.settings import Settings
from sandbox.broker import isolation
from sandbox.broker.binaries import locate
from sandbox.broker.errors import BrokerFailed
from sandbox.broker.node import Node
from tests.support.waiting import GIVE_UP_SECONDS, eventually

SUSPECT = pytest.StashKey[bool]()
"""Whether a test failed since the broker was last started from nothing."""


class Broker:
    """The private node: connect to it, look into it, hurt it."""

    def __init__(self, node: Node) -> None:
        self.node = node

    @property
    def url(self) -> str:
        return self.node.url

    def settings(self, **fields: object) -> Settings:
        """Give settings that name this broker and an exchange that no other test uses."""
        given = {"amqp_url": SecretStr(self.url), "exchange": f"test.{secrets.token_hex(6)}", **fields}
        return Settings.model_validate(given)

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[AbstractChannel]:
        """Open a connection and a channel that raises on returns, for as long as the test needs them."""
        connection = await aio_pika.connect(self.url)
        try:
            yield await connection.channel(on_return_raises=True)
        finally:
            await close(connection)

    async def ctl(self, *command: str) -> str:
        """Run `rabbitmqctl`."""
        return await asyncio.to_thread(self.node.ctl, *command)

    async def evaluate(self, expression: str) -> str:
        """Have the node evaluate an expression of Erlang's, at a hundredth of what `rabbitmqctl` costs; give the value.

        Raises `BrokerFailed`.
        """
        return await asyncio.to_thread(_evaluated, self.node, expression)

    async def settle(self) -> None:
        """Have it write down which queues it has.

        RabbitMQ 3.10 notes a new stream or quorum queue in a table that is saved half a second later; one that
        is killed before that never finds the queue again, although it had confirmed its declaration.
        """
        await self.evaluate("lists:foreach(fun dets:sync/1, dets:all())")

    async def kill(self) -> None:
        """End the broker as a power cut would."""
        await self.settle()
        await asyncio.to_thread(self.node.kill)

    async def start(self) -> None:
        """Start it again and wait until it lets clients in."""
        await asyncio.to_thread(self.node.start)

    async def unacknowledged(self, queue: str) -> int:
        """Count what is in a quorum queue or in somebody's hand, as its leader knows it: listed counts come later."""
        name = f'rabbit_misc:r(<<"/">>, queue, <<"{queue}">>)'
        leader = f"{{ok, Queue}} = rabbit_amqqueue:lookup({name}), Leader = amqqueue:get_pid(Queue)"
        counted = "{ok, {_, Count}, _} = ra:leader_query(Leader, fun rabbit_fifo:query_messages_total/1), Count"
        return int(await self.evaluate(f"{leader}, {counted}"))

    async def close_all_connections(self) -> None:
        """Close every client's connection as an operator would."""
        await self.evaluate(
            'rabbit_networking:close_connections(rabbit_networking:connections(), <<"the operator said so">>)'
        )

    @asynccontextmanager
    async def memory_alarm(self) -> AsyncIterator[None]:
        """Have the broker block whoever publishes."""
        await self.ctl("set_vm_memory_high_watermark", "0.000001")
        try:
            yield
        finally:
            await self.ctl("set_vm_memory_high_watermark", "0.4")

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator[None]:
        """Have the broker stand still with its connections open."""
        self.node.suspend()
        await eventually(lambda: _all_threads_stopped(self.node.pid))
        try:
            yield
        finally:
            with suppress(BrokerFailed, ProcessLookupError):  # it may have been killed, and be dying still
                self.node.resume()

    def heal(self) -> None:
        """Have it running."""
        if self.node.running:
            self.node.resume()
        else:
            self.node.start()

    def renew(self) -> None:
        """Start it from nothing, at the address that it has."""
        self.node.stop(now=True)
        shutil.rmtree(self.node.folder / "data")
        self.node.start(owner=os.getpid())


@dataclass
class Inbox:
    """A subscriber with a durable queue of its own, which finds its way back to a broker that went away.

    What one call takes comes in the queue's order; between two calls messages in flight are put back.
    """

    broker: Broker
    queue: str
    messages: list[AbstractIncomingMessage] = field(default_factory=list)
    arguments: dict[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        """The event ids in the order in which they came, repetitions included."""
        return [str(message.message_id) for message in self.messages]

    async def until(self, done: Callable[["Inbox"], bool], *, within: float = GIVE_UP_SECONDS) -> None:
        """Take messages until `done` says that there are enough."""
        async with asyncio.timeout(within):
            while not done(self):
                with suppress(*CONNECTION_EXCEPTIONS):
                    await self._take_until(done)

    async def take(self, count: int, *, within: float = GIVE_UP_SECONDS) -> list[AbstractIncomingMessage]:
        """Take messages until there are `count` in all."""
        await self.until(lambda inbox: len(inbox.messages) >= count, within=within)
        return self.messages

    async def _take_until(self, done: Callable[["Inbox"], bool]) -> None:
        connection = await aio_pika.connect(self.broker.url, heartbeat=5)
        try:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=100)
            queue = await channel.get_queue(self.queue, ensure=False)
            async with queue.iterator(timeout=1.0, arguments=dict(self.arguments)) as incoming:
                with suppress(TimeoutError):
                    async for message in incoming:
                        self.messages.append(message)
                        await message.ack()
                        if done(self):
                            return
        finally:
            await close(connection)


async def subscribe(broker: Broker, exchange: str, binding: str = "#", *, type_: str = "quorum") -> Inbox:
    """Bind a durable queue to an exchange, as the README tells subscribers to, and give its inbox."""
    queue = f"inbox.{secrets.token_hex(6)}"
    async with broker.channel() as channel:
        declared = await channel.declare_queue(queue, durable=True, arguments={"x-queue-type": type_})
        await declared.bind(exchange, binding)
    return Inbox(broker, queue)


def logged(broker: Broker, exchange: str) -> Inbox:
    """Read the exchange's log from its beginning."""
    return Inbox(broker, f"{exchange}.log", arguments={"x-stream-offset": "first"})


async def close(connection: AbstractConnection) -> None:
    """Close a connection, whatever became of its broker."""
    closing = asyncio.ensure_future(connection.close())
    await asyncio.wait([closing], timeout=1.0)
    closing.cancel()


def _evaluated(node: Node, expression: str) -> str:
    binaries = locate()
    environment = isolation.environment(node.folder, binaries, node.ports, node.name)
    program = shutil.which("erl_call", path=environment.get("BINDIR", ""))
    if program is None:  # Erlang is installed here, and does not say where
        return node.ctl("eval", f"{expression}.")
    cookie = (node.folder / isolation.COOKIE).read_text()
    run = [program, "-sname", node.name, "-c", cookie, "-e"]
    done = subprocess.run(
        run, check=False, input=f"{expression}.\n", env=environment, text=True, capture_output=True, timeout=60
    )
    if done.returncode or not done.stdout.startswith("{ok,"):
        raise BrokerFailed(f"{expression}: {done.stdout}{done.stderr}")
    return done.stdout.removeprefix("{ok,").removesuffix("}").strip()


def _all_threads_stopped(pid: int) -> bool:
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(thread.read_text().rpartition(")")[2].split()[0] == "T" for thread in threads)


@pytest.fixture(scope="session")
def broker_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node(tmp_path_factory.mktemp("broker"))
    node.start(owner=os.getpid())
    yield node
    node.stop(now=True)


@pytest_asyncio.fixture
async def broker(broker_node: Node, pytestconfig: pytest.Config) -> Broker:
    return await sound_broker(broker_node, pytestconfig)


async def sound_broker(node: Node, config: pytest.Config) -> Broker:
    """Give the broker unharmed: after a failure, which it may be the reason for, it is started from nothing."""
    ready = Broker(node)
    suspect, config.stash[SUSPECT] = config.stash.get(SUSPECT, False), False
    await asyncio.to_thread(ready.renew if suspect else ready.heal)
    return ready


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note each failure for whoever asks for the broker next."""
    report = yield
    if report.failed:
        item.config.stash[SUSPECT] = True
    return report
