"""What all measurements share: a folder, a broker of their own, how long they take, and the service's processes."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bench.load import OPEN_ATTEMPTS, SECRET, Answers, Generator, Load
from bench.processes import Started, free_port
from bench.seeding import create, seed_open
from sandbox.broker.node import Node


@dataclass
class Setting:
    """One run of the benchmarks."""

    folder: Path
    rounds: int
    seconds: float
    quick: bool
    stack: ExitStack = field(default_factory=ExitStack)

    def say(self, line: str) -> None:
        """Tell how far the run is."""
        print(f"  {time.strftime('%H:%M:%S')} {line}", flush=True)

    @cached_property
    def broker(self) -> Node:
        """A RabbitMQ of our own, started when it is first needed."""
        node = Node(self.folder / "broker")
        node.start()
        self.stack.callback(node.stop, now=True)
        return node

    @cached_property
    def generator(self) -> Generator:
        """A load generator in a process of its own."""
        return Generator(self.stack.enter_context(Started(["bench.load"], folder=self.folder)))

    def fresh(self) -> Path:
        """Make an empty folder for a store."""
        folder = self.folder / f"store-{time.monotonic_ns()}"
        folder.mkdir()
        return folder

    def expecting(self) -> Path:
        """Make a folder with a store whose videos wait for the webhooks that loads send."""
        folder = self.fresh()
        now = time.time()
        seed_open(create(folder), 0, OPEN_ATTEMPTS, at=now, due=now + 100_000)
        return folder

    @contextmanager
    def peer(self, name: str, *arguments: str) -> Iterator["Server"]:
        """Run a peer that serves HTTP."""
        port = free_port()
        with Started([f"bench.peers.{name}", str(port), *arguments], folder=self.folder) as started:
            yield Server(started.wait_for_port(port), port)

    @contextmanager
    def role(self, role: str, folder: Path, **env: str) -> Iterator["Server"]:
        """Run a role of the service over the store in a folder."""
        port = free_port()
        settings = {
            "REELBUS_DATABASE_URL": f"sqlite:///{folder / 'reelbus.db'}",
            "REELBUS_PORT": str(port),
            "REELBUS_WEBHOOK_SECRETS": SECRET,
            "REELBUS_IACREA_API_KEY": "key",
            "REELBUS_IACREA_USER_ID": "user",
            "REELBUS_AMQP_URL": self.broker.url,
            **env,
        }
        with Started(["reelbus", role], folder=folder, env=settings) as started:
            if role in {"run", "receiver"}:
                started.wait_for_port(port)
            yield Server(started, port)


@dataclass(frozen=True, slots=True)
class Server:
    """A process that listens on a port."""

    process: Started
    port: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One round: the answers, and the server's seconds of processor time for each."""

    answers: Answers
    cpu: float


def measure(setting: Setting, server: Server, kind: str, *, first_attempt: int = 0) -> Measured:
    """Drive a server for a round, after a moment to warm up."""
    setting.generator.drive(Load(server.port, kind, 0.3, first_attempt=first_attempt))
    before = server.process.cpu()
    answers = setting.generator.drive(Load(server.port, kind, setting.seconds, first_attempt=first_attempt))
    cpu = server.process.cpu() - before
    if answers.refused or answers.broken or not answers.count:
        raise RuntimeError(f"{answers.refused} of {answers.count} {kind} requests refused, {answers.broken} broken")
    return Measured(answers, cpu / answers.count)


def interleave(rounds: int, contestants: dict[str, Callable[[], Measured]]) -> dict[str, list[Measured]]:
    """Measure all in turn, round after round, so that what disturbs one disturbs all."""
    results: dict[str, list[Measured]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            results[name].append(contestant())
    return results
