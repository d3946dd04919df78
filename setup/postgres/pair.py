"""A primary with a synchronous standby: what is acknowledged is on both, so either may be lost."""

import time

import psycopg

from setup.postgres.server import PASSWORD, USER, Server

ATTACH_SECONDS = 60.0
CONFIGURATION = """\
wal_receiver_status_interval = 1s
wal_keep_size = 1GB
"""
"""Enough of the log is kept for a standby that fell behind; without it every commit would wait for ever."""

_SYNCHRONOUS = "ALTER SYSTEM SET synchronous_standby_names = '*'"
_ALONE = "ALTER SYSTEM RESET synchronous_standby_names"
_IN_STEP = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


class Pair:
    """Two servers on loopback, each with a port for ever; which of them is the primary changes."""

    def __init__(self, configuration: str = "") -> None:
        self.primary, self.standby = _server(configuration), _server(configuration)

    def start(self) -> None:
        """Start both, and wait until the standby is in step. Raises `PostgresFailed`."""
        self.primary.start()
        self.attach()

    def attach(self) -> None:
        """Make the standby anew as a copy of the primary, and the primary wait for it at every commit."""
        self.standby.kill()
        self.order(_ALONE)
        self.standby.clone(self.primary)
        self.standby.start()
        self.order(_SYNCHRONOUS)
        self.await_in_step()

    def await_in_step(self) -> None:
        """Wait until the standby has all that the primary has. Raises TimeoutError."""
        give_up_at = time.monotonic() + ATTACH_SECONDS
        while self.order(_IN_STEP) != 1:
            if time.monotonic() > give_up_at:
                raise TimeoutError("the standby did not come into step")
            time.sleep(0.05)

    def promote(self) -> None:
        """Make the standby the primary, whatever became of the old one; both then change their names."""
        with _connected(self.standby) as connection:
            connection.execute("SELECT pg_promote(true, 60)")
        self.primary, self.standby = self.standby, self.primary

    def order(self, statement: str, database: str = "postgres") -> object:
        """Run a statement at the primary, have its settings read anew, and give the first value of its answer."""
        with _connected(self.primary, database) as connection:
            answer = connection.execute(statement.encode())
            value = answer.fetchone()[0] if answer.description else None  # type: ignore[index]  # one row at least
            connection.execute("SELECT pg_reload_conf()")
            return value

    def remove(self) -> None:
        """End both, and remove all that they had."""
        for server in (self.primary, self.standby):
            server.kill()
            server.remove()


def address(*ports: int, database: str) -> str:
    """Name servers on loopback as the settings do: whichever of them is the primary is meant."""
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"postgresql://{USER}:{PASSWORD}@{hosts}/{database}?target_session_attrs=read-write"


def _server(configuration: str) -> Server:
    # Small segments of the write-ahead log, so that a limit on the size of files is met by tables first.
    return Server(initdb=("--wal-segsize", "1"), configuration=CONFIGURATION + configuration)


def _connected(server: Server, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(server.url(database), autocommit=True, connect_timeout=10)
