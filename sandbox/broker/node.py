"""One private RabbitMQ node in a folder of its own: every port on loopback, nothing shared with another.

Any number of nodes may run at once, each with its own name server, ports, cookie and data. Killed or
stopped, a node keeps its data and its address, and `start` brings it back.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from sandbox.broker import isolation, processes
from sandbox.broker.binaries import CACHE, Binaries, locate, plugins_of
from sandbox.broker.errors import BrokerFailed
from sandbox.broker.handshake import answers
from sandbox.broker.listening import await_port, listens
from sandbox.broker.record import Ports, Record

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.05  # seconds between two looks at a node that is starting
TOP = Path(__file__).parents[2]


class Node:
    """A private node that keeps everything it has in `folder`; see the module."""

    def __init__(
        self,
        folder: Path,
        *,
        cache: Path = CACHE,
        name: str = isolation.NAME,
        configuration: str = "",
        plugins: Sequence[str] = (),
    ) -> None:
        """Describe a node of this name and with these plugins; `configuration` are more lines of its file."""
        self.folder = folder.resolve()
        self.name = name
        self._cache = cache
        self._configuration = configuration
        self._plugins = plugins

    @property
    def url(self) -> str:
        """Its AMQP address, the same for as long as the folder exists."""
        return f"amqp://guest:guest@127.0.0.1:{self._record().ports.amqp}/"

    @property
    def ports(self) -> Ports:
        """Where it listens. Raises `BrokerFailed` before its first start."""
        return self._record().ports

    @property
    def management_port(self) -> int:
        """Where its management plugin listens, if it has it: chosen by its first start."""
        return self._record().ports.management

    @property
    def pid(self) -> int:
        """The id of the process that is the broker, for whoever must hurt it.

        Raises:
            BrokerFailed: it does not run.
        """
        broker = self._record().broker
        if not broker or not processes.alive(broker):
            raise BrokerFailed(f"no broker runs in {self.folder}")
        return broker.pid

    @property
    def running(self) -> bool:
        """Whether its process exists."""
        with suppress(BrokerFailed):
            return self.pid > 0
        return False

    def start(self, *, owner: int | None = None, prefer: int | None = None) -> str:
        """Start it unless it runs, wait until it lets clients in, and return its address.

        With `owner`, it is ended by itself soon after the process of that id is gone. With `prefer`, it takes
        that port for clients where it is free, and so its address may change from one start to the next.

        Raises:
            BrokerMissing: there is no RabbitMQ and no way to get one.
            BrokerFailed: it would not start, twice.
        """
        binaries = locate(self._cache)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked():
            record = Record.load(self.folder) or Record(ports=isolation.free_ports(prefer=prefer))
            if not record.ports.management:  # an older release started it first
                record = replace(record, ports=replace(record.ports, management=isolation.free_ports().management))
            if not (record.broker and processes.alive(record.broker)):
                if prefer is not None:
                    found = isolation.free_ports(prefer=prefer).amqp
                    record = replace(record, ports=replace(record.ports, amqp=found))
                record = self._launch_twice(binaries, record, move=prefer is not None)
            if owner and not (record.watcher and processes.alive(record.watcher)):
                record = replace(record, watcher=self._watch(owner))
            record.save(self.folder)
        return self.url

    def stop(self, *, now: bool = False) -> None:
        """End what `start` started and nothing else; `now` spares the node its goodbyes."""
        record = Record.load(self.folder)
        if not record:
            return
        if record.broker:
            processes.end(record.broker, within=0.0 if now else STOP_SECONDS)
        if record.epmd:
            processes.end(record.epmd, within=1.0)
        Record(ports=record.ports).save(self.folder)
        if record.watcher and record.watcher.pid != os.getpid():
            processes.end(record.watcher, within=1.0)

    def kill(self) -> None:
        """End the broker as a power cut would; what it wrote to disk stays."""
        pid = self.pid
        processes.end(processes.identify(pid), within=0.0)

    def restart(self) -> str:
        """Stop it politely if it runs, start it with its data, and return its address."""
        with suppress(BrokerFailed):
            processes.end(processes.identify(self.pid), within=STOP_SECONDS)
        return self.start()

    def join(self, first: "Node") -> None:
        """Be of a cluster with a node that runs, from this one's first start on: they share name server and cookie."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        isolation.keep_cookie(self.folder, (first.folder / isolation.COOKIE).read_text())
        ports = replace(isolation.free_ports(), epmd=first.ports.epmd)
        Record(ports=ports).save(self.folder)
        self._configuration += "cluster_formation.peer_discovery_backend = classic_config\n"
        for place, name in enumerate((first.name, self.name), 1):
            self._configuration += f"cluster_formation.classic_config.nodes.{place} = {name}\n"

    def suspend(self) -> None:
        """Freeze the broker: its connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Resume a frozen broker."""
        os.kill(self.pid, signal.SIGCONT)

    def ctl(self, *command: str, timeout: float = 90.0) -> str:
        """Run `rabbitmqctl` against this node and return what it printed.

        Raises:
            BrokerFailed: the command failed, or took longer than `timeout` seconds.
        """
        binaries = locate(self._cache)
        run = [str(binaries.ctl), "--quiet", *command]
        environment = isolation.environment(self.folder, binaries, self._record().ports, self.name)
        try:
            done = subprocess.run(run, check=True, timeout=timeout, env=environment, text=True, capture_output=True)
        except subprocess.TimeoutExpired:
            raise BrokerFailed(f"rabbitmqctl {command[0]} took over {timeout:g} s") from None
        except subprocess.CalledProcessError as failure:
            raise BrokerFailed(f"rabbitmqctl {command[0]}: {failure.stderr.strip()[-500:]}") from None
        return done.stdout

    def _record(self) -> Record:
        record = Record.load(self.folder)
        if not record:
            raise BrokerFailed(f"no broker was ever started in {self.folder}")
        return record

    def _launch_twice(self, binaries: Binaries, record: Record, *, move: bool) -> Record:
        """Launch; and once more if that fails, on other ports unless clients may know these already."""
        try:
            return self._launch(binaries, record)
        except BrokerFailed:
            if move or not Record.load(self.folder):
                record = Record(ports=isolation.free_ports())
        return self._launch(binaries, record)

    def _launch(self, binaries: Binaries, record: Record) -> Record:
        environment = isolation.prepare(
            self.folder, binaries, record.ports, self.name, more=self._configuration, plugins=self._plugins
        )
        if self._plugins:
            environment |= plugins_of(binaries, self._cache)
        epmd = record.epmd
        if not (epmd and processes.alive(epmd)):
            ports = ["-port", str(record.ports.epmd), "-address", "127.0.0.1"]
            if listens(record.ports.epmd):  # one of its cluster has brought it
                epmd = None
            else:
                epmd = self._spawn([binaries.epmd, *ports], environment)
                await_port(record.ports.epmd)
        broker = self._spawn([str(binaries.server)], environment)
        started = Record(ports=record.ports, broker=broker, epmd=epmd, watcher=record.watcher)
        try:
            self._await_ready(started)
        except BaseException:  # Ctrl-C included: leave nothing running
            processes.end(broker, within=0.0)
            if epmd:
                processes.end(epmd, within=0.0)
            raise
        return started

    def _spawn(self, run: list[str], environment: dict[str, str]) -> processes.Process:
        output = str(self.folder / "output.log")
        pid = os.posix_spawnp(
            run[0],
            run,
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,  # Ctrl-C in a terminal is not meant for the broker
        )
        return processes.identify(pid)

    def _watch(self, owner: int) -> processes.Process:
        watch = [sys.executable, "-m", "sandbox.broker", "watch", "--dir", str(self.folder)]
        return self._spawn([*watch, "--owner-pid", str(owner)], {"PATH": os.defpath, "PYTHONPATH": str(TOP)})

    def _await_ready(self, record: Record) -> None:
        deadline = time.monotonic() + READY_SECONDS
        url = f"amqp://guest:guest@127.0.0.1:{record.ports.amqp}/"
        while not answers(url):
            if not record.broker or processes.gone(record.broker, within=POLL_SECONDS):
                raise BrokerFailed(f"RabbitMQ ended while starting:\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise BrokerFailed(f"RabbitMQ is not ready after {READY_SECONDS:g} s; see {self.folder}/log")

    def _last_words(self) -> str:
        return (self.folder / "output.log").read_text(errors="replace")[-1500:]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
