"""One private PostgreSQL server in a folder of its own, on a port of loopback, for whoever needs a real one."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from setup.postgres.binaries import CACHE, environment, locate

READY_SECONDS = 60.0
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
    """A server that keeps everything it has in a temporary folder; see the module."""

    def __init__(self, *, cache: Path = CACHE) -> None:
        self._binaries = locate(cache)
        self._folder = Path(tempfile.mkdtemp(prefix="reelbus-postgresql-"))
        self._data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    def url(self, database: str = "postgres") -> str:
        """Give the address of one of its databases."""
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Make its files where there are none, start it, and wait until it answers. Raises `PostgresFailed`."""
        if not self._data.exists():
            self._make()
        self._process = self._spawn("postgres", "-D", str(self._data), "-p", str(self.port))
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

    def remove(self) -> None:
        """End it, and remove all that it had."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _make(self) -> None:
        password = self._folder / "password"
        password.touch(mode=0o600)
        password.write_text(PASSWORD)
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            for path in (self._folder, password):
                shutil.chown(path, "nobody")
        made = self._run(
            *("initdb", "-D", str(self._data), "-U", USER, "--pwfile", str(password), "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--no-sync"),
        )
        if made != 0:
            raise PostgresFailed(f"initdb failed: {self._last_words()}")
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION)

    def _run(self, program: str, *arguments: str) -> int:
        return self._spawn(program, *arguments).wait(timeout=READY_SECONDS)

    def _spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self._folder / "output.log").open("ab") as output:
            return subprocess.Popen(
                [self._binaries.folder / program, *arguments],
                env=environment(self._binaries),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user="nobody" if os.getuid() == 0 else None,
                extra_groups=[] if os.getuid() == 0 else None,
                start_new_session=True,
            )

    def _last_words(self) -> str:
        return (self._folder / "output.log").read_text(errors="replace")[-1500:]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
