"""Look at a PostgreSQL server without changing anything: for the doctor, and before an upgrade."""

import time
from typing import NamedTuple

import psycopg

from store.migrate import newest_version, version_in
from store.postgres import DIALECT, Session, conninfo, translated
from store.transaction import Tx

OLDEST = 14
"""The oldest release of PostgreSQL that the store is tested for."""

_HEAR_SECONDS = 2.0
_CHANNEL = "reelbus_doctor"


class ServerLook(NamedTuple):
    """What was found; `clock_ahead` are the seconds by which the server's clock is ahead of this machine's.

    `version` is that of the tables, None where there are none. `pooled` says that something stands between us and
    the server, `hears` that a NOTIFY was heard.
    """

    release: int
    version: int | None
    settings: dict[str, str]
    clock_ahead: float
    pooled: bool
    hears: bool

    @property
    def behind(self) -> bool:
        """Whether the tables await an upgrade, or the first start."""
        return self.version is None or self.version < newest_version()


def look_at_server(url: str) -> ServerLook:
    """Look at the server and database of an address. Raises `StoreUnavailable` and `StoreTooNew`."""
    session = Session(conninfo(url))
    try:
        return _look(session)
    except psycopg.Error as error:
        raise translated(error) from error
    finally:
        session.close()


def _look(session: Session) -> ServerLook:
    tx = Tx(session)
    names = ("fsync", "synchronous_commit", "full_page_writes")
    settings = {name: str(tx.execute("SELECT current_setting(?)", (name,)).fetchone()[0]) for name in names}
    pid = session.execute("SELECT pg_backend_pid()").fetchone()
    return ServerLook(
        release=session.connection.info.server_version // 10_000,
        version=version_in(tx, DIALECT),
        settings=settings,
        clock_ahead=_clock_ahead(tx),
        pooled=pid is None or pid[0] != session.connection.info.backend_pid,
        hears=_hears(session),
    )


def _clock_ahead(tx: Tx) -> float:
    before = time.time()
    theirs: float = tx.execute("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)").fetchone()[0]
    return theirs - (before + time.time()) / 2


def _hears(session: Session) -> bool:
    session.connection.execute(f"LISTEN {_CHANNEL}")
    session.connection.execute("SELECT pg_notify(%s, '')", (_CHANNEL,))
    return any(session.connection.notifies(timeout=_HEAR_SECONDS, stop_after=1))
