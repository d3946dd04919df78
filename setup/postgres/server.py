"""One private PostgreSQL server in a folder of its own, on a port of loopback, for whoever needs a real one."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from setup.postgres.binaries import CACHE, environment, locate

READY_SECONDS = 60.0
TOP = Path(__file__).parents[2]
USER = "reelbus"
PASSWORD = "never-shown-anywhere"  # noqa: S105 - of a server on loopback that ends with the tests

CONFIGURATION = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 64MB
fsync = on
synchronous_commit = on
deadlock_timeout = 200ms
log_min_messages = fatal
"""


class PostgresFailed(Exception):
    """The server would not start; the message has its last words."""


class Server:
    """A server that keeps everything it has in a temporary folder; see the module.

    `initdb` are more options for making its files, `configuration` more lines for postgresql.conf.
    """

    def __init__(self, *, cache: Path = CACHE, initdb: Sequence[str] = (), configuration: str = "") -> None:
        self._binaries = locate(cache)
        self.folder = Path(tempfile.mkdtemp(prefix="reelbus-postgresql-"))
        self._data = self.folder / "data"
        self._initdb = initdb
        self._configuration = CONFIGURATION + configuration
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def pid(self) -> int:
        """The id of the server's first process, the parent of all others. Raises `PostgresFailed`."""
        if self._process is None:
            raise PostgresFailed("it does not run")
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """Give the address of one of its databases."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Make its files where there are none, start it, and wait until it answers. Raises `PostgresFailed`."""
        if not self._data.exists():
            self._make()
        self._process = self._spawn("postgres", "-D", str(self._data), "-p", str(self.port))
        self._watch = _watched(self._process.pid, self.folder)
        deadline = time.monotonic() + READY_SECONDS
        while self._run("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)) != 0:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise PostgresFailed(f"PostgreSQL did not start: {self._last_words()}")
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT ends what is under way, SIGQUIT is a crash; its data stay."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
            self._process = None
        if self._watch is not None:
            self._watch.kill()
            self._watch.wait()
            self._watch = None

    def kill(self) -> None:
        """End it with all its processes at once, as a power cut would; its data stay."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(timeout=30)
            self._process = None

    @property
    def pids(self) -> list[int]:
        """The ids of its processes, the one that starts the others first; none while it does not run."""
        if self._process is None or self._process.poll() is not None:
            return []
        return [self._process.pid, *_children(self._process.pid)]

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return bool(self.pids)

    def limit_files(self, size: int | None) -> None:
        """Limit the size of the files that its processes write, as on a full disk; None is no limit.

        Those that serve clients from now on inherit it.
        """
        limit = f"--fsize={'unlimited' if size is None else size}:unlimited"
        for pid in self.pids:
            # As their own user: to touch another's processes takes more than being root.
            subprocess.run(["prlimit", f"--pid={pid}", limit], check=False, stderr=subprocess.DEVNULL, **run_as())

    def clone(self, primary: "Server") -> None:
        """Take over all that another server has; started, this one is its standby. Raises `PostgresFailed`.

        What it had is gone. It must not run.
        """
        shutil.rmtree(self._data, ignore_errors=True)
        self._own_folder()
        copied = self._run(
            *("pg_basebackup", "-D", str(self._data), "-d", primary.url()),
            *("--write-recovery-conf", "--wal-method", "stream", "--checkpoint", "fast", "--no-sync"),
        )
        if copied != 0:
            raise PostgresFailed(f"pg_basebackup failed: {self._last_words()}")

    def remove(self) -> None:
        """End it, and remove all that it had."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self) -> None:
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(PASSWORD)
        self._own_folder(password)
        made = self._run(
            *("initdb", "-D", str(self._data), "-U", USER, "--pwfile", str(password), "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--no-sync", *self._initdb),
        )
        if made != 0:
            raise PostgresFailed(f"initdb failed: {self._last_words()}")
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(self._configuration)

    def _own_folder(self, *more: Path) -> None:
        if run_as():
            for path in (self.folder, *more):
                shutil.chown(path, "nobody")

    def _run(self, program: str, *arguments: str) -> int:
        return self._spawn(program, *arguments).wait(timeout=READY_SECONDS)

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "output.log").open("ab") as output:
            return subprocess.Popen(
                [self._binaries.folder / program, *arguments],
                env=environment(self._binaries),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **run_as(),
            )

    def _last_words(self) -> str:
        return (self.folder / "output.log").read_text(errors="replace")[-1500:]


def run_as() -> dict[str, Any]:
    """Say as whom its processes run: PostgreSQL refuses to run as root."""
    return {"user": "nobody", "extra_groups": []} if os.getuid() == 0 else {}


def _children(parent: int) -> list[int]:
    """Find the processes that a process started; each of PostgreSQL's has a group of its own."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def _watched(server: int, folder: Path) -> subprocess.Popen[bytes]:
    """End a server, and remove its folder, soon after this process is gone, however it went."""
    return subprocess.Popen(
        [sys.executable, "-m", "setup.postgres.watch", str(os.getpid()), str(server), str(folder)],
        cwd=TOP,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def free_port() -> int:
    """Find a port of loopback that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
