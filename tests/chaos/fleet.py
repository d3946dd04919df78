"""The processes of the service: started, counted, hurt and replaced."""

import asyncio
import os
import resource
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.chaos import member
from tests.chaos.skew import sitecustomize
from tests.chaos.skew.sitecustomize import Skew
from tests.support.forked import Forked, ForkServer
from tests.support.ports import free_port
from tests.support.service import PROVIDER_SECRETS, ROOT
from tests.support.waiting import eventually

ROLES = ("receiver", "generator", "poller", "publisher")


@dataclass(eq=False)
class Member:
    """One process of one role."""

    role: str
    process: Forked
    url: str | None = None
    doomed: bool = False
    """Whether we ended it ourselves."""
    host: int = 0

    @property
    def lives(self) -> bool:
        return self.process.returncode is None

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        """End it and give its exit status."""
        self.doomed = True
        self.send(number)
        return await self.process.wait()


class Fleet:
    """Every process of the service over one store. The first receiver's address is the public one, unless `env` says.

    Each of `hosts` is a folder of its own, and what its processes are told otherwise than others; the processes of
    a role are spread over them. `least` says how many of a role there are when nothing is wrong, 1 where it does not.
    """

    def __init__(
        self,
        folder: Path,
        env: Mapping[str, str],
        *,
        hosts: Sequence[Mapping[str, str]] = ({},),
        least: Mapping[str, int] | None = None,
    ) -> None:
        self.folder = folder
        self._hosts = hosts
        self._least = least or {}
        self.store = folder / "reelbus.db"
        self.members: list[Member] = []
        self.strange_ends: list[str] = []
        self._logs: dict[str, int] = {}
        self._keepers: list[subprocess.Popen[bytes]] = []
        self._control = folder / "store-control"
        self._skew = _skew(folder / "skew")
        self.ports = [free_port(), free_port()]
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("REELBUS_")},
            "PYTHONPATH": os.pathsep.join([str(Path(sitecustomize.__file__).parent), str(ROOT)]),
            "CHAOS_STORE": str(self._control),
            sitecustomize.SHARED: str(folder / "skew"),
            "REELBUS_DATABASE_URL": f"sqlite:///{self.store}",
            "REELBUS_PUBLIC_URL": f"http://127.0.0.1:{self.ports[0]}",
            **env,
        }
        self._server = ForkServer(self._env)

    def be_reached_at(self, url: str) -> None:
        """Have what is started from now on believe that this is its public address."""
        self._env["REELBUS_PUBLIC_URL"] = url

    @property
    def receivers(self) -> list[str]:
        """Where the receivers listen, whether they live or not."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def of(self, *roles: str) -> list[Member]:
        """List the living members of some roles."""
        return [member for member in self.members if member.role in roles and member.lives]

    async def start(self, *roles: str, **env: str) -> list[Member]:
        """Start one process for each role, and wait until each receiver among them answers.

        There is room for two receivers; a third is not started.
        """
        started = []
        for role in roles:
            if role != "receiver" or self._free_ports():
                started.append(await self._launch(role, env))
        await asyncio.gather(*(self._answering(member) for member in started if member.url))
        return started

    async def complete(self) -> None:
        """Have at least as many processes of every role as there should be, and a receiver at the public address."""
        self._note_strange_ends()
        missing = [role for role in ROLES[1:] for _ in range(self._least.get(role, 1) - len(self.of(role)))]
        receivers = [port for port in self.ports[: self._least.get("receiver", 1)] if port in self._free_ports()]
        await self.start(*("receiver" for _ in receivers), *missing)

    async def replace(self, *roles: str, **env: str) -> None:
        """Tell every process of some roles to stop, and start one of each with other settings."""
        for each in self.of(*roles):
            if (status := await each.end(signal.SIGTERM)) != 0:
                self.strange_ends.append(f"{each.role} left with status {status} on SIGTERM")
        await self.start(*roles, **env)

    async def kill(self, members: Iterable[Member]) -> None:
        """End processes as a power cut would."""
        await asyncio.gather(*(member.end() for member in members))

    async def close(self) -> None:
        """End them all politely, then by force."""
        self._note_strange_ends()
        living = self.of(*ROLES)
        for each in living:
            each.send(signal.SIGCONT)
        ends = [asyncio.create_task(each.end(signal.SIGTERM)) for each in living]
        if ends:
            await asyncio.wait(ends, timeout=15.0)
        for each, ending in zip(living, ends, strict=True):
            if not ending.done():
                self.strange_ends.append(f"{each.role} did not end within 15 s of SIGTERM")
                each.send(signal.SIGKILL)
            elif ending.result() != 0:
                self.strange_ends.append(f"{each.role} left with status {ending.result()} on SIGTERM")
        await asyncio.gather(*ends)
        self._server.close()
        for log in self._logs.values():
            os.close(log)
        for keeper in self._keepers:
            keeper.wait()

    def spoil_store(self, pragmas: str) -> None:
        """Have every process run these pragmas before each transaction."""
        new = self._control.with_suffix(".new")
        new.write_text(pragmas)
        new.replace(self._control)

    def heal_store(self) -> None:
        """Have the store sound again."""
        self.spoil_store(member.SOUND)

    def forbid_writing(self, *, forbidden: bool) -> None:
        """Have the system refuse every write to a file, as a full or broken disk would, or take that back."""
        size = 0 if forbidden else resource.RLIM_INFINITY
        for each in self.of(*ROLES):
            with suppress(ProcessLookupError):
                resource.prlimit(each.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def put_clock(self, ahead: float) -> None:
        """Put every process's clock forward by so many seconds from the true time, or, below zero, back."""
        self._skew.put(ahead=ahead, sync=self._skew.sync)

    def slow_disk(self, sync: float) -> None:
        """Have every sync take so many seconds longer."""
        self._skew.put(ahead=self._skew.ahead, sync=sync)

    def logs(self) -> dict[str, str]:
        """Read what each role logged."""
        return {role: (self.folder / f"{role}.log").read_text(errors="replace") for role in ROLES}

    async def _launch(self, role: str, more: Mapping[str, str]) -> Member:
        port = self._free_ports()[0] if role == "receiver" else None
        host = (self.ports.index(port) if port else len(self.of(role))) % len(self._hosts)
        secrets = () if role in {"generator", "poller"} else PROVIDER_SECRETS
        given = {name: value for name, value in self._env.items() if name not in secrets}
        env = {**given, **self._hosts[host], **({"REELBUS_PORT": str(port)} if port else {}), **more}
        folder = self.folder / f"host-{host}"
        folder.mkdir(exist_ok=True)
        log = self._log(role)
        process = await self._server.start("tests.chaos.member", role, env=env, folder=folder, errors=log, output=log)
        started = Member(role, process, f"http://127.0.0.1:{port}" if port else None, host=host)
        self.members.append(started)
        return started

    def _log(self, role: str) -> int:
        """Give a pipe whose other end keeps the log: a process that may not write to files can still say so."""
        if role not in self._logs:
            reading, self._logs[role] = os.pipe()
            with (self.folder / f"{role}.log").open("ab") as log:
                self._keepers.append(subprocess.Popen(["cat"], stdin=reading, stdout=log))
            os.close(reading)
        return self._logs[role]

    def _free_ports(self) -> list[int]:
        taken = {member.url for member in self.of("receiver")}
        return [port for port in self.ports if f"http://127.0.0.1:{port}" not in taken]

    async def _answering(self, started: Member) -> None:
        async with httpx.AsyncClient(base_url=started.url or "", timeout=5) as http:

            async def healthy() -> bool:
                if not started.lives:
                    return True  # noted as a strange end, unless we ended it
                with suppress(httpx.TransportError):
                    return (await http.get("/healthz")).is_success
                return False

            await eventually(healthy, within=300, what="the receiver's start")

    def _note_strange_ends(self) -> None:
        for each in self.members:
            if not each.lives and not each.doomed:
                self.strange_ends.append(f"{each.role} ended by itself with status {each.process.returncode}")
        self.members = [each for each in self.members if each.lives]


def _skew(file: Path) -> Skew:
    file.write_bytes(sitecustomize.LAYOUT.pack(0.0, 0.0))
    return Skew(str(file))
