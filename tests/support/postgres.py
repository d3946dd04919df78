"""A PostgreSQL of the tests' own: one server for a whole run of pytest, and a fresh database for who asks."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest

from setup.postgres.server import Server
from store.migrate import migrate
from store.postgres import DIALECT, Session, conninfo
from tests.support.stores import transact

_TEMPLATE = "migrated"


class Postgres:
    """The private server; what it has in databases ends with it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._made = False

    def new(self, *, migrated: bool = False) -> str:
        """Make a database and give its address: empty, or with this release's tables."""
        if migrated and not self._made:
            self._create(_TEMPLATE)
            session = Session(conninfo(self.server.url(_TEMPLATE)))
            transact(session, migrate, DIALECT)
            session.close()
            self._made = True
        name = f"test_{secrets.token_hex(6)}"
        self._create(name, _TEMPLATE if migrated else "template1")
        return self.server.url(name)

    def _create(self, name: str, template: str = "template1") -> None:
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Start the server, and end it with the run."""
    server = Server()
    try:
        server.start()
        yield Postgres(server)
    finally:
        server.remove()


@pytest.fixture(scope="session")
def _shared(postgres: Postgres) -> Iterator[Session]:
    session = Session(conninfo(postgres.new(migrated=True)))
    session.execute("SET synchronous_commit = off")  # a crash is nothing to those who share this one
    yield session
    session.close()


@pytest.fixture
def postgres_session(_shared: Session) -> Session:
    """Give a connection to tables that are empty."""
    tables = [name for (name,) in _shared.execute(DIALECT["tables"]).fetchall() if name != "migrations"]
    _shared.execute("BEGIN")
    for table in sorted(tables, key=lambda name: name == "videos"):  # the others refer to it
        _shared.execute(f"DELETE FROM {table}")  # noqa: S608 - our own tables' names
    _shared.execute("COMMIT")
    return _shared
