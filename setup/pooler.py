"""pgbouncer for the tests, in transaction mode before a PostgreSQL: `python3 -m setup.pooler` fetches it."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from sandbox.debian import PackagesMissing
from setup import proxies
from setup.postgres.server import PASSWORD, USER, Server, free_port, run_as

CACHE = Path(__file__).parents[1] / ".run" / "pooler"
READY_SECONDS = 20.0

_CONFIGURATION = """\
[databases]
* = host=127.0.0.1 port={server} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
"""


def locate() -> proxies.Proxy:
    """Find pgbouncer on this machine, or unpack Debian's package. Raises `PackagesMissing`."""
    return proxies.locate("pgbouncer", CACHE, ("pgbouncer",))


class Pooler:
    """A pgbouncer on a port of loopback, with few connections to its server for whoever comes."""

    def __init__(self, server: Server, *, connections: int = 3) -> None:
        self.port = free_port()
        program = locate()
        file = server.folder / f"pgbouncer-{self.port}.ini"
        file.write_text(
            _CONFIGURATION.format(
                server=server.port, user=USER, password=PASSWORD, port=self.port, connections=connections
            )
        )
        self._log = server.folder / f"pgbouncer-{self.port}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [program.path, "-q", file], env=program.environment, stdout=log, stderr=log, **run_as()
            )

    def url(self, database: str) -> str:
        """Give the address of a database through the pooler."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def __enter__(self) -> Self:
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise RuntimeError(f"pgbouncer did not start: {self._log.read_text()[-1500:]}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == os.EX_OK


def main() -> int:
    """Have it ready; give the exit status."""
    try:
        locate()
    except PackagesMissing as missing:
        sys.stderr.write(f"pooler: no pgbouncer here, and it could not be fetched: install it ({missing})\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
