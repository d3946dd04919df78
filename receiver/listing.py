"""Read what a list of videos may be asked for, and tell every fault at once."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from starlette.datastructures import QueryParams

from schemas.names import PROVIDERS, VideoStatus
from schemas.problem import FieldFault, ProblemCode, Refusal
from schemas.request import MAX_METADATA
from store.video_lists import Filter

E = TypeVar("E", bound=str)

VIDEO_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What every id of a video looks like."""

_DEFAULT_PAGE, _LARGEST_PAGE = 50, 200
_QUERY = ("status", "provider", "since", "until", "limit", "cursor")
_METADATA = "metadata."
_WHEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ][0-9:.]{5,20}(?:[Zz]|[+ -][0-9]{2}:[0-9]{2}))?")


@dataclass(frozen=True, slots=True)
class Page:
    """Which videos, how many of them, and after which one."""

    wanted: Filter
    cursor: str | None
    limit: int


def read_query(query: QueryParams) -> Page:
    """Read the query of a list. Raises `Refusal` with every fault at once."""
    faults = [
        FieldFault(
            field=name[:200], message=f"is not a query parameter here; those are {', '.join(_QUERY)}, metadata.…"
        )
        for name in dict.fromkeys(query)
        if name not in _QUERY and not name.startswith(_METADATA)
    ]
    faults += [
        FieldFault(field=name[:200], message="must be given once")
        for name in dict.fromkeys(query)
        if len(query.getlist(name)) > 1 and (name in _QUERY or name.startswith(_METADATA))
    ]
    page = Page(
        Filter(
            status=_one_of(VideoStatus, "status", query, faults),
            provider=_one_of(PROVIDERS, "provider", query, faults),
            metadata=_metadata(query, faults),
            since=_time("since", query, faults),
            until=_time("until", query, faults),
        ),
        cursor=_cursor(query, faults),
        limit=_limit(query, faults),
    )
    if faults:
        detail = "; ".join(f"{fault.field} {fault.message}" for fault in faults[:5])
        raise Refusal(ProblemCode.INVALID_REQUEST, detail, errors=faults[:100])
    return page


def _metadata(query: QueryParams, faults: list[FieldFault]) -> Mapping[str, str]:
    given = {name.removeprefix(_METADATA): value for name, value in query.items() if name.startswith(_METADATA)}
    if len(given) > MAX_METADATA:
        faults.append(FieldFault(field="metadata", message=f"no video has more than {MAX_METADATA} pairs"))
    for name, value in given.items():
        if not name or "\x00" in name + value:
            message = "must be metadata.KEY=VALUE, without NUL"
            faults.append(FieldFault(field=(_METADATA + name)[:200].replace("\x00", "\\x00"), message=message))
    return given


def _time(field: str, query: QueryParams, faults: list[FieldFault]) -> float | None:
    given = query.get(field)
    if given is None:
        return None
    try:
        if not (given.isascii() and _WHEN.fullmatch(given)):
            raise ValueError(given)
        # A plus sign that was not escaped arrives as a space.
        when = datetime.fromisoformat(given[:11] + given[11:].replace(" ", "+"))
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        message = "must be a time with its zone or a date (UTC), as 2026-01-31T12:00:00Z or 2026-01-31"
        faults.append(FieldFault(field=field, message=message))
        return None


def _cursor(query: QueryParams, faults: list[FieldFault]) -> str | None:
    cursor = query.get("cursor")
    if cursor is not None and not VIDEO_ID.fullmatch(cursor):
        faults.append(FieldFault(field="cursor", message="must be the next_cursor of an earlier page"))
    return cursor


def _limit(query: QueryParams, faults: list[FieldFault]) -> int:
    limit = query.get("limit", str(_DEFAULT_PAGE))
    if re.fullmatch("[0-9]{1,3}", limit, re.ASCII) and 1 <= int(limit) <= _LARGEST_PAGE:
        return int(limit)
    faults.append(FieldFault(field="limit", message=f"must be a number from 1 to {_LARGEST_PAGE}"))
    return _DEFAULT_PAGE


def _one_of(names: Iterable[E], field: str, query: QueryParams, faults: list[FieldFault]) -> E | None:
    given = query.get(field)
    found = next((name for name in names if name == given), None)
    if given is not None and found is None:
        faults.append(FieldFault(field=field, message=f"must be one of {', '.join(names)}"))
    return found
