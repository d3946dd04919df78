"""Copy one store into another, pictures included, and prove that both hold the same: for `reelbus db copy`."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from store import copying
from store.copying import Checksum, Row, Table
from store.database import Store, dialect_of
from store.pictures import PictureLost

ROWS_AT_ONCE = 1000

Progress = Callable[[str, int], None]
"""Is told of each table and how many more of its rows are done."""


class CopyFailed(Exception):
    """The target is not what a copy of the source would be; the message says where."""


@dataclass(frozen=True, slots=True)
class Side:
    """An open store, and the words of its dialect."""

    store: Store
    dialect: dict[str, str]

    async def pages(self, table: Table, names: list[str], key: Row | None = None) -> AsyncIterator[list[Row]]:
        """Read the rows of a table behind a key, some at a time."""
        while rows := await self.store.read(copying.rows_after, table, names, key, limit=ROWS_AT_ONCE):
            yield rows
            key = rows[-1][: len(table.key)]

    async def checksum(self, table: Table, names: list[str]) -> Checksum:
        """Sum up all rows of a table."""
        found = Checksum()
        async for rows in self.pages(table, names):
            found.add(rows)
        return found


async def total(source: Store) -> int:
    """Count the rows that a copy has to write."""
    return sum([await source.read(copying.count, table) for table in copying.TABLES])


async def copy(source_url: str, target_url: str, progress: Progress) -> int:
    """Copy all that is in one store into another, and compare them; give the number of rows.

    What an earlier try has copied is not copied again. Nobody may write to either meanwhile.
    Raises `CopyFailed`, `StoreUnavailable`, `StoreTooNew`, and ValueError for an address of another form.
    """
    opened = await Store.open(source_url)
    try:
        target = await Store.open(target_url)
        try:
            return await _copy(Side(opened, dialect_of(source_url)), Side(target, dialect_of(target_url)), progress)
        finally:
            await target.close()
    finally:
        await opened.close()


async def _copy(source: Side, target: Side, progress: Progress) -> int:
    names = {table: await source.store.read(copying.columns, source.dialect, table) for table in copying.TABLES}
    await _insist_on_a_copy(source, target, names)
    for table in copying.TABLES:
        if table.name == "uploads":
            await _copy_pictures(source, target, names[table], progress)
        else:
            await _copy_table(source, target, table, names[table], progress)
        if table.numbered:
            last = await source.store.read(copying.last_number, source.dialect, table)
            await target.store.write(copying.keep_numbers, target.dialect, table, last)
    return sum([await _compared(source, target, table, names[table]) for table in copying.TABLES])


async def _insist_on_a_copy(source: Side, target: Side, names: dict[Table, list[str]]) -> None:
    """Refuse a target whose first row of some table is none of the source's: it is a store of its own."""
    for table in copying.TABLES:
        theirs = await target.store.read(copying.rows_after, table, names[table], None, limit=1)
        ours = await source.store.read(copying.rows_after, table, names[table], None, limit=1)
        if theirs and table.name != "uploads" and theirs != ours:
            raise CopyFailed(f"the target holds other {table.name} already; name an empty database")


async def _copy_table(source: Side, target: Side, table: Table, names: list[str], progress: Progress) -> None:
    done = await target.store.read(copying.last_key, table)
    if done is not None:
        progress(table.name, await target.store.read(copying.count, table))
    async for rows in source.pages(table, names, done):
        await target.store.write(copying.add, table, names, rows)
        progress(table.name, len(rows))


async def _copy_pictures(source: Side, target: Side, names: list[str], progress: Progress) -> None:
    """Copy which video was made from which picture, each with the picture's bytes: they are kept under a new name."""
    table = next(table for table in copying.TABLES if table.name == "uploads")
    done = await target.store.read(copying.last_key, table)
    if done is not None:
        progress(table.name, await target.store.read(copying.count, table))
    async for rows in source.pages(table, names, done):
        for row in rows:
            values = dict(zip(names, row, strict=True))
            if values["name"] is not None:
                values["name"] = await _copy_picture(source, target, values["video_id"]) or values["name"]
            await target.store.write(copying.add, table, names, [tuple(values[name] for name in names)])
        progress(table.name, len(rows))


async def _copy_picture(source: Side, target: Side, video_id: str) -> str | None:
    """Keep a picture's bytes in the target and give their name; None for one that is lost in the source."""
    try:
        found = await source.store.pictures.read(video_id)
    except PictureLost:
        return None
    return None if found is None else (await target.store.pictures.keep(found[0].content_type, found[1])).name


async def _compared(source: Side, target: Side, table: Table, names: list[str]) -> int:
    # A picture has another name in each store; its bytes are compared by their own checksum when they are read.
    compared = [name for name in names if (table.name, name) != ("uploads", "name")]
    ours, theirs = await source.checksum(table, compared), await target.checksum(table, compared)
    if ours.summed_up() != theirs.summed_up():
        raise CopyFailed(
            f"{table.name} differ: {ours.rows} rows in the source, {theirs.rows} in the target;"
            " stop every process of both, and copy into an empty database"
        )
    return ours.rows
