"""Run the real commands as processes of their own, and talk to them as a user would."""

import asyncio
import atexit
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.forked import Forked, ForkServer
from tests.support.ports import free_port
from tests.support.waiting import GIVE_UP_SECONDS, eventually

ROOT = Path(__file__).parents[2]
_TOKEN_ADDRESS = re.compile(r"/(?:webhooks/iacrea|media)/[\w-]{20,}")

QUICK = {
    "REELBUS_POLL_MIN": "0.1",
    "REELBUS_POLL_MAX": "0.5",
    "REELBUS_IACREA_RATE": "200",
    "REELBUS_HOMEDESIGNS_RATE": "200",
    "REELBUS_IACREA_WEBHOOK_GRACE": "20",
    "REELBUS_ALLOW_PRIVATE_IMAGE_HOSTS": "true",
    "REELBUS_PROVIDER_TIMEOUT": "5",
}
"""Settings that make a job take moments."""

PROVIDER_SECRETS = ("REELBUS_IACREA_API_KEY", "REELBUS_IACREA_USER_ID", "REELBUS_HOMEDESIGNS_TOKEN")
"""What only generators and pollers need."""


def _clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("REELBUS_")}


_fork_servers: dict[str, ForkServer] = {}


def fork_server(path: str = str(ROOT)) -> ForkServer:
    """Give the one of this process for a `PYTHONPATH`, started when it is first wanted."""
    if path not in _fork_servers:
        _fork_servers[path] = ForkServer({**_clean_environment(), "PYTHONPATH": path})
        atexit.register(_fork_servers[path].close)
    return _fork_servers[path]


def end_commands() -> None:
    """End every command that was forked and still runs: a test that was broken off has left it behind."""
    for server in _fork_servers.values():
        server.end_all()


class Command:
    """One `reelbus …` process."""

    def __init__(self, process: asyncio.subprocess.Process | Forked, log: Path) -> None:
        self.process = process
        self.log = log

    @classmethod
    async def start(cls, *words: str, env: Mapping[str, str], log: Path, fresh: bool = False) -> Self:
        """Start a command whose standard error goes to `log`.

        It is forked from a process that has loaded the service. Where its memory or its start is what a test looks
        at, it is to be `fresh`: a new interpreter.
        """
        given = {**_clean_environment(), "PYTHONPATH": str(ROOT), **env}
        with log.open("ab") as errors:
            if fresh:
                process: asyncio.subprocess.Process | Forked = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "reelbus", *words),
                    cwd=log.parent,
                    env=given,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=errors,
                )
            else:
                server = fork_server(given["PYTHONPATH"])
                process = await server.start("reelbus", *words, env=given, folder=log.parent, errors=errors.fileno())
        return cls(process, log)

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process.returncode is None

    async def finish(self, within: float = GIVE_UP_SECONDS) -> tuple[int, str, str]:
        """Wait for the end; give exit status, standard output and standard error."""
        output, _ = await asyncio.wait_for(self.process.communicate(), within)
        return self.process.returncode or 0, output.decode(), self.log.read_text()

    async def stop(self, number: signal.Signals = signal.SIGTERM, within: float = GIVE_UP_SECONDS) -> int:
        """Send a signal and wait for the end; give the exit status."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
        await asyncio.wait_for(self.process.communicate(), within)
        return self.process.returncode or 0

    async def kill(self) -> None:
        """End the process at once."""
        if self.running:
            await self.stop(signal.SIGKILL)


class Sandbox:
    """The providers' stand-ins in a process of their own."""

    def __init__(self, command: Command, url: str, env: dict[str, str]) -> None:
        self.command = command
        self.url = url
        self.env = env
        self.http = httpx.AsyncClient(base_url=url, timeout=10)

    @classmethod
    async def start(cls, folder: Path, *, render_seconds: float = 0.3) -> Self:
        """Start the stand-ins on a free port."""
        port = free_port()
        words = ("sandbox", "--port", str(port), "--render-seconds", str(render_seconds), "--no-render-clips")
        command = await Command.start(*words, env={}, log=folder / "sandbox.log")

        async def announced() -> dict[str, str]:
            assert command.running, command.log.read_text()
            lines = (line.strip() for line in command.log.read_text().splitlines())
            found = dict(line.split("=", 1) for line in lines if line.startswith("REELBUS_"))
            return found if len(found) == 6 else {}

        return cls(command, f"http://127.0.0.1:{port}", await eventually(announced, what="the stand-ins' start"))

    async def plan(self, provider: str, behaviour: str | list[str], **more: object) -> None:
        """Choose how the next requests to a provider are treated."""
        body = {"provider": provider, "behaviour": behaviour, **more}
        (await self.http.post("/sandbox/plan", json=body)).raise_for_status()

    async def hold_webhooks(self, to: str, *, held: bool) -> None:
        """Keep the webhooks to addresses that begin so, or send what was kept."""
        (await self.http.post("/sandbox/webhooks", json={"to": to, "held": held})).raise_for_status()

    async def records(self) -> Any:
        """Read everything that the stand-ins saw."""
        return (await self.http.get("/sandbox/records")).raise_for_status().json()

    async def close(self) -> None:
        """Stop the stand-ins."""
        await self.http.aclose()
        await self.command.kill()


class Service:
    """The service: one process a role, or one for all, over one store."""

    def __init__(self, folder: Path, env: Mapping[str, str], *, fresh: bool = False) -> None:
        """Have settings; `fresh` is as `Command.start` says."""
        self.folder = folder
        self._fresh = fresh
        self.port = free_port()
        self.env = {
            **QUICK,
            "REELBUS_PORT": str(self.port),
            "REELBUS_DATABASE_URL": f"sqlite:///{folder / 'reelbus.db'}",
            **env,
        }
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=20)
        self.commands: list[Command] = []

    @property
    def url(self) -> str:
        """Where the receiver listens."""
        return f"http://127.0.0.1:{self.port}/"

    async def start(self, *roles: str, **env: str) -> list[Command]:
        """Start roles, `run` by default, each in its own process, and wait until the API answers."""
        started = []
        for role in roles or ("run",):
            log = self.folder / f"{role}.log"
            secrets = PROVIDER_SECRETS if role in {"receiver", "publisher"} else ()
            given = {name: value for name, value in self.env.items() if name not in secrets}
            started.append(await Command.start(role, env={**given, **env}, log=log, fresh=self._fresh))
        self.commands += started
        if {"run", "receiver"} & set(roles or ("run",)):
            await self.answering()
        return started

    async def answering(self) -> None:
        """Wait until the receiver answers."""

        async def healthy() -> bool:
            with suppress(httpx.TransportError):
                return (await self.http.get("/healthz")).is_success
            assert any(command.running for command in self.commands), self.logs()
            return False

        await eventually(healthy, what="the receiver's start")

    async def submit(self, *, status: int = 202, **fields: object) -> Any:
        """Post a job as JSON and give the answer's document."""
        answer = await self.http.post("/v1/videos", json={"motion": "zoom_in", **fields})
        assert answer.status_code == status, answer.text
        return answer.json()

    async def upload(self, picture: bytes, *, status: int = 202, **fields: object) -> Any:
        """Post a job with a picture as a form and give the answer's document."""
        form = {"motion": "zoom_in", **fields}
        data = {name: value if isinstance(value, str) else json.dumps(value) for name, value in form.items()}
        answer = await self.http.post("/v1/videos", data=data, files={"image": ("p.jpg", picture, "image/jpeg")})
        assert answer.status_code == status, answer.text
        return answer.json()

    async def video(self, video_id: str) -> Any:
        """Read a video."""
        return (await self.http.get(f"/v1/videos/{video_id}")).raise_for_status().json()

    async def finished(self, video_id: str, within: float = GIVE_UP_SECONDS) -> Any:
        """Wait until a video has ended, and read it."""

        async def ended() -> Any:
            video = await self.video(video_id)
            return video if video["status"] in {"ready", "failed"} else None

        return await eventually(ended, within=within, what=f"the end of video {video_id}")

    def logs(self) -> str:
        """Give everything that the processes logged."""
        return "\n".join(f"== {log.name}\n{log.read_text()}" for log in sorted(self.folder.glob("*.log")))

    def leaks(self) -> list[str]:
        """List the secrets and the tokens of addresses that any process wrote into its log."""
        logs = [log.read_text() for log in self.folder.glob("*.log") if log.name != "sandbox.log"]
        secrets = [value for name, value in self.env.items() if name.endswith(("_KEY", "_KEYS", "_TOKEN", "_SECRETS"))]
        found = [secret for secret in secrets for log in logs if secret in log]
        return found + [address for log in logs for address in _TOKEN_ADDRESS.findall(log)]

    async def close(self) -> None:
        """End every process."""
        await self.http.aclose()
        await asyncio.gather(*(command.kill() for command in self.commands))
