"""Lists of videos: which to show, and in which order."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from schemas.names import Provider, VideoStatus
from store.transaction import Tx
from store.videos import COLUMNS, VideoRow, row_or_none


class Filter(NamedTuple):
    """Which videos to list: all that is given must match. Times are Unix seconds, `until` is the first one too late."""

    status: VideoStatus | None = None
    provider: Provider | None = None
    metadata: Mapping[str, str] = MappingProxyType({})
    since: float | None = None
    until: float | None = None


EVERY = Filter()

_ID_SLACK = 60.0
"""By how many seconds a video's id may be younger than its time: it is made when its transaction comes to it."""

_MICROSECONDS = "ROUND(videos.created_at * 1000000)"
"""A video's time as precisely as it is shown."""


def page(tx: Tx, wanted: Filter, *, before: str | None = None, limit: int) -> list[tuple[str, VideoRow | None]]:
    """Read videos newest first, those older than the id `before` where it is given.

    Each comes as its id and its row, None where this release cannot read it.
    """
    id_, source, conditions, values = _where(wanted)
    if before is not None:
        conditions.append(f"{id_} < :before")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    columns = ", ".join(f"videos.{column}" for column in COLUMNS.split(", "))
    rows = tx.execute(
        f"SELECT {columns} FROM {source}{where} ORDER BY {id_} DESC LIMIT :limit",  # noqa: S608 - constant parts
        {**values, "before": before, "limit": limit},
    ).fetchall()
    return [(str(row[0]), row_or_none(row)) for row in rows]


def _where(wanted: Filter) -> tuple[str, str, list[str], dict[str, object]]:
    """Write a filter in SQL: the column that orders, the tables, the conditions and their values.

    Ids begin with the time at which they are made, so that every index that ends with them serves a span of time too.
    """
    id_, source, conditions = "videos.id", "videos", []
    values: dict[str, object] = {}
    for number, (name, value) in enumerate(wanted.metadata.items()):
        values |= {f"name{number}": name, f"value{number}": value}
        pair = f"pair{number}"
        if number == 0:
            # CROSS JOIN: SQLite reads its left side first.
            id_, source = "pair0.video_id", "video_metadata AS pair0 CROSS JOIN videos"
            conditions += ["videos.id = pair0.video_id", "pair0.name = :name0", "pair0.value = :value0"]
        else:
            conditions.append(
                f"EXISTS (SELECT 1 FROM video_metadata AS {pair} WHERE {pair}.name = :name{number}"  # noqa: S608 - constant parts
                f" AND {pair}.value = :value{number} AND {pair}.video_id = videos.id)"
            )
    given = {"state": wanted.status, "provider": wanted.provider}
    conditions += [f"videos.{column} = :{column}" for column, value in given.items() if value is not None]
    values |= given
    if wanted.since is not None:
        conditions += [f"{id_} >= :first_id", f"{_MICROSECONDS} >= :since"]
        values |= {"since": round(wanted.since * 1e6), "first_id": first_id(wanted.since - 0.001)}
    if wanted.until is not None:
        conditions += [f"{id_} < :end_id", f"{_MICROSECONDS} < :until"]
        values |= {"until": round(wanted.until * 1e6), "end_id": first_id(wanted.until + _ID_SLACK)}
    return id_, source, conditions, values


def first_id(at: float) -> str:
    """Give the smallest id that a video can have that is made at a time (RFC 9562, version 7)."""
    digits = f"{max(0, int(at * 1000)):012x}"[-12:]
    return f"{digits[:8]}-{digits[8:]}-7000-8000-000000000000"
