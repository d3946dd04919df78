"""Through pgbouncer in transaction mode the store works, and nothing that one process sets reaches another."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from setup.pooler import Pooler
from store.postgres import LOCK_SECONDS
from store.postgres_store import PostgresStore
from store.transaction import Tx
from tests.store.one_row import names, put, put_and_fail
from tests.support.postgres import Postgres


@pytest.fixture(scope="module")
def pooler(postgres: Postgres) -> Iterator[Pooler]:
    with Pooler(postgres.server) as started:
        yield started


@pytest.fixture
async def store(postgres: Postgres, pooler: Pooler) -> AsyncIterator[PostgresStore]:
    opened = await PostgresStore.open(pooler.url(postgres.new().rpartition("/")[2]))
    yield opened
    await opened.close()


def _settings(tx: Tx) -> tuple[str, str]:
    sql = "SELECT current_setting('synchronous_commit'), current_setting('lock_timeout')"
    found: tuple[str, str] = tx.execute(sql).fetchone()
    return found


def _decided(tx: Tx) -> tuple[str, str]:
    tx.must_sync()
    return _settings(tx)


async def test_every_transaction_is_as_durable_as_it_must_be_whoever_had_the_connection_before(
    store: PostgresStore,
) -> None:
    locks = f"{LOCK_SECONDS}s"
    for _ in range(5):
        found = await asyncio.gather(
            *(store.write_unsynced(_settings) for _ in range(4)),
            *(store.write(_settings) for _ in range(4)),
            *(store.write_unsynced(_decided) for _ in range(4)),
        )
        assert found == [("off", locks)] * 4 + [("on", locks)] * 8


async def test_statements_are_run_again_and_again_over_connections_that_change(store: PostgresStore) -> None:
    for number in range(40):
        writing = (store.write(put, f"a {number}"), store.write_unsynced(put, f"b {number}"))
        await asyncio.gather(*writing, store.read(names), store.read(names))
    with pytest.raises(ZeroDivisionError):
        await store.write(put_and_fail, "nothing")
    assert len(await store.read(names)) == 80
