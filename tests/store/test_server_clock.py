"""Over PostgreSQL the server's clock decides: hosts whose own are an hour apart lease as if they were not."""

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from process.clock import Clock, watch_of
from store import leases
from store.leases import Held
from store.postgres_store import PostgresStore
from store.server_clock import LOOK_SECONDS, ServerClock
from store.transaction import Tx
from tests.chaos.skew.sitecustomize import LAYOUT, SHARED
from tests.support.postgres import Postgres

TOP = Path(__file__).parents[2]
HOUR = 3600.0


def _elsewhere(url: str, folder: Path, *, ahead: float, name: str, seconds: float) -> tuple[bool, float]:
    """Take a lease in a process of a host whose clock is ahead; say whether it is ours, and what that clock says."""
    skew = folder / "skew"
    skew.write_bytes(LAYOUT.pack(ahead, 0.0))
    path = f"{TOP / 'tests/chaos/skew'}:{TOP}"
    taken = subprocess.run(
        [sys.executable, "-m", "tests.store.lease_elsewhere", url, name, str(seconds)],
        env={**os.environ, "PYTHONPATH": path, SHARED: str(skew)},
        cwd=TOP,
        check=True,
        capture_output=True,
        text=True,
    )
    ours, its_time = taken.stdout.split()
    return ours == "True", float(its_time)


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
async def test_hosts_whose_clocks_are_an_hour_apart_hold_and_inherit_leases(
    postgres: Postgres, tmp_path: Path, ahead: float
) -> None:
    url = postgres.new(migrated=True)
    store = await PostgresStore.open(url)
    try:
        acquire = partial(leases.acquire, owner="here", now=store.now(), seconds=60)
        assert _is_here(await store.write(acquire, "ours"))
        taken, its_time = _elsewhere(url, tmp_path, ahead=ahead, name="ours", seconds=60)
        assert abs(its_time - time.time() - ahead) < HOUR / 2
        assert not taken
        assert _elsewhere(url, tmp_path, ahead=ahead, name="theirs", seconds=60)[0]
        seen = await store.write(acquire, "theirs")
        assert not _is_here(seen)
        # Seen unrenewed for as long as it lasts, it is inherited, whatever either clock says.
        assert _is_here(await store.write(acquire, "theirs", lapsed=seen))
    finally:
        await store.close()


def _is_here(holder: Held | None) -> bool:
    return holder is not None and holder.owner == "here"


async def test_what_a_process_does_to_its_own_clock_changes_no_time_of_the_store(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await PostgresStore.open(postgres.new(migrated=True))
    try:
        before = store.now()
        true_time = time.time
        monkeypatch.setattr(time, "time", lambda: true_time() + HOUR)
        await store.read(_time_of)
        assert store.now() - before < HOUR / 2
        await watch_of(store, _mend_is_not_called).mend()
    finally:
        await store.close()


def _time_of(tx: Tx) -> object:
    return tx.execute("SELECT clock_timestamp()").fetchone()


def _mend_is_not_called(tx: Tx, of_machine: str | None, *, step: float, ahead: float, now: float) -> float:  # noqa: ARG001 - as `jobs.clock.mend`
    assert of_machine is None
    assert step == 0.0
    return step


def test_a_clock_is_known_as_well_as_the_quickest_answers_tell_it() -> None:
    even = [100.0]
    clock = ServerClock(lambda: even[0])
    clock.heard(1_000_050.0, before=100.0, after=102.0)
    assert clock.now() == 1_000_050.0 - 101.0 + 100.0
    clock.heard(1_000_050.9, before=101.9, after=102.1)
    assert abs(clock.now() - even[0] - (1_000_050.9 - 102.0)) <= 0.1
    exact = clock.now()
    clock.heard(1_000_060.0, before=100.0, after=120.0)
    assert clock.now() == exact
    even[0] = 120.0 + LOOK_SECONDS
    assert clock.due


def test_a_step_of_the_servers_clock_is_followed() -> None:
    even = [0.0]
    clock = ServerClock(lambda: even[0])
    clock.heard(1000.0, before=0.0, after=0.0)
    watched = Clock(clock.now, lambda: even[0])
    clock.heard(400.0, before=0.0, after=0.0)
    assert clock.now() == 400.0
    assert watched.measure().step == -600.0
