"""Start commands from a fork server, and wait for them as for any child process."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]

_LOADED = (
    "reelbus.cli",
    "reelbus.service",
    "reelbus.receiver_role",
    "reelbus.generator_role",
    "reelbus.poller_role",
    "reelbus.publisher_role",
    "reelbus.sandboxed",
    "providers.homedesigns.client",
    "providers.iacrea.client",
    "store.postgres_store",
)
"""What services and stand-ins load."""


class Forked:
    """One process of a fork server, as far as tests need what `asyncio.subprocess.Process` offers."""

    def __init__(self, pid: int, status: asyncio.StreamReader, output: asyncio.StreamReader | None) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._output = output
        self._ended = asyncio.create_task(self._until_end(status))

    @classmethod
    async def told(cls, status: asyncio.StreamReader, output: asyncio.StreamReader | None) -> Self:
        """Wait until the server has said which process it is."""
        return cls(_number(await status.readline()), status, output)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal. Raises `ProcessLookupError` when it has ended."""
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    async def wait(self) -> int:
        """Wait for the end and give the exit status, below zero for a signal."""
        return await asyncio.shield(self._ended)

    async def communicate(self) -> tuple[bytes, None]:
        """Read all that it prints, wait for the end and give what it printed."""
        output = b"" if self._output is None else await self._output.read()
        await self.wait()
        return output, None

    async def _until_end(self, status: asyncio.StreamReader) -> int:
        self.returncode = _number(await status.read())
        return self.returncode


class ForkServer:
    """A process that has loaded the service; see `tests.support.fork_server`."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Start it; what `env` has it do at its start is done in each of its children."""
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno()), *_LOADED],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    async def start(
        self, module: str, *words: str, env: Mapping[str, str], folder: Path, errors: int, output: int | None = None
    ) -> Forked:
        """Fork a process that runs a module in a folder; without `output` what it prints can be read from it."""
        reader = None
        status, told = await _pipe()
        printed = output
        if printed is None:
            reader, printed = await _pipe()
        request = {"module": module, "words": words, "env": dict(env), "folder": str(folder)}
        socket.send_fds(self._control, [json.dumps(request).encode()], [printed, errors, told])
        os.close(told)
        if output is None:
            os.close(printed)
        return await Forked.told(status, reader)

    def end_all(self) -> None:
        """End every child that still runs, however it is, before anything else is started."""
        self._control.send(b"end all")

    def close(self) -> None:
        """End it, and every child that still runs."""
        self._control.close()
        self._server.wait()


async def _pipe() -> tuple[asyncio.StreamReader, int]:
    """Give a pipe: what reads from it, and the descriptor to write to."""
    reading, writing = os.pipe()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(reading, "rb", 0))
    return reader, writing


def _number(line: bytes) -> int:
    if not line:
        raise RuntimeError("the fork server has ended: its last words are on standard error")
    return int(line)
