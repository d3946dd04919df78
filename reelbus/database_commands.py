"""What `reelbus db …` does: upgrade a store's tables, say how it is, copy it."""

import asyncio
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import typer

from process.settings import Settings
from reelbus import database_copy
from reelbus.database_copy import CopyFailed
from reelbus.errors import BAD_USAGE, UNAVAILABLE, settings_or_exit, stop_with
from reelbus.terminal import printable_json
from store.database import Store, StoreUnavailable, dialect_of, is_postgres, sqlite_path
from store.look import look
from store.migrate import StoreTooNew, newest_version, version_in

T = TypeVar("T")


def upgrade() -> int:
    """Bring the store of the settings up to this release's tables, as a start of the service would."""
    settings = settings_or_exit()
    before = _version(settings)
    after = _run(_opened_version(settings.database_url))
    told = f"made with schema version {after}" if before is None else f"upgraded from {before} to {after}"
    if before == after:
        told = f"has schema version {after} already"
    sys.stdout.write(f"{settings.shown_database_url} {told}\n")
    return 0


def status(*, as_json: bool) -> int:
    """Say where the store is, which tables it has, and whether this release would upgrade them."""
    settings = settings_or_exit()
    found, newest = _version(settings), newest_version()
    if as_json:
        told = {"store": settings.shown_database_url, "version": found, "newest": newest}
        sys.stdout.write(printable_json(told) + "\n")
        return 0
    if found is None:
        state = "there is none yet; a start makes it"
    elif found < newest:
        state = f"schema version {found} of {newest}; `reelbus db upgrade` or any start upgrades it"
    else:
        state = f"schema version {found}, up to date"
    sys.stdout.write(f"{settings.shown_database_url}\n{state}\n")
    return 0


def copy(source: str, target: str) -> int:
    """Copy a store into another one, with a progress bar on stderr; say what was copied and compared."""
    for url in (source, target):
        _insist_on_address(url)
    if not is_postgres(source) and not Path(sqlite_path(source)).exists():
        stop_with(f"the source {sqlite_path(source)} does not exist")
    rows = _run(_copied(source, target))
    sys.stdout.write(f"{rows} rows copied; counts and checksums of every table agree\n")
    return 0


async def _copied(source: str, target: str) -> int:
    opened = await Store.open(source)
    try:
        length = await database_copy.total(opened)
    finally:
        await opened.close()
    with typer.progressbar(length=length, label="copying", file=sys.stderr) as bar:

        def progress(table: str, rows: int) -> None:
            bar.label = f"copying {table}"
            bar.update(rows)

        return await database_copy.copy(source, target, progress)


def _insist_on_address(url: str) -> None:
    try:
        Settings(database_url=url)
        if not is_postgres(url):
            sqlite_path(url)
    except ValueError:
        stop_with("SOURCE and TARGET must be sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE", BAD_USAGE)


def _version(settings: Settings) -> int | None:
    """Read the version of the store's tables without changing anything; None where there are none."""
    try:
        if is_postgres(settings.database_url):
            from store.postgres_look import look_at_server

            return look_at_server(settings.database_url).version
        found = look(Path(sqlite_path(settings.database_url)))
    except (StoreUnavailable, StoreTooNew) as error:
        stop_with(str(error), UNAVAILABLE)
    return None if found is None else found.version


async def _opened_version(url: str) -> int | None:
    store = await Store.open(url)
    try:
        return await store.read(version_in, dialect_of(url))
    finally:
        await store.close()


def _run(work: Awaitable[T]) -> T:
    async def run() -> T:
        return await work

    try:
        return asyncio.run(run())
    except StoreUnavailable as error:
        stop_with(str(error), UNAVAILABLE)
    except (StoreTooNew, CopyFailed) as error:
        stop_with(str(error))
