"""Attempts: one provider's try at a video, its lease, and when somebody must look at it next."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from schemas.names import DetectedBy, ErrorCode, Provider, RefundStatus
from store.members import member_of
from store.transaction import Tx
from store.unreadable import MALFORMED, Kind, put_aside


class AttemptState(StrEnum):
    """Where an attempt is. `jobs.transitions` says which may follow which.

    The four before `generating` all show as `submitting` outside; what parts them is whether the request may
    have left: not in `waiting` and `claimed`, perhaps in `sending`, and nobody knows in `unconfirmed`.
    """

    WAITING = "waiting"
    CLAIMED = "claimed"
    SENDING = "sending"
    UNCONFIRMED = "unconfirmed"
    GENERATING = "generating"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class CancelState(StrEnum):
    """How far the wish to stop an attempt has come."""

    WISHED = "wished"
    ASKED = "asked"
    """Its provider is being asked, and may have stopped it; its answer is not known yet."""
    HEARD = "heard"
    """Its provider knows of the wish, and may go on all the same."""
    TOO_LATE = "too_late"


class AttemptRow(NamedTuple):
    """One attempt as it is stored."""

    id: str
    video_id: str
    number: int
    provider: Provider
    state: AttemptState
    tries: int
    provider_job_id: str | None
    due_at: float | None
    lease_owner: str | None
    submitted_at: float | None
    accepted_at: float | None
    finished_at: float | None
    woken_at: float | None
    checked_at: float | None
    doubt: str | None
    doubt_since: float | None
    doubt_count: int
    detected_by: DetectedBy | None
    output_urls: tuple[str, ...]
    error_code: ErrorCode | None
    error_message: str | None
    refund_status: RefundStatus | None
    refund_credits: int | None
    created_at: float | None
    """None for the first attempts of all, made before this was kept."""
    job_details: Mapping[str, str] | None = None
    """What the provider gave to ask about its job by, besides the id."""
    media: str | None = None
    """What was found at the result's address, as JSON."""
    kept_urls: tuple[str, ...] = ()
    cancel: CancelState | None = None
    """None where nobody wished to stop it."""
    cancel_at: float | None = None
    absences: int = 0
    """How often its provider, asked by our own name for it, did not know a lost submission."""


COLUMNS = (
    "id, video_id, number, provider, state, tries, provider_job_id, due_at, lease_owner, submitted_at,"
    " accepted_at, finished_at, woken_at, checked_at, doubt, doubt_since, doubt_count, detected_by, output_urls,"
    " error_code, error_message, refund_status, refund_credits, created_at, job_details, media, kept_urls,"
    " cancel, cancel_at, absences"
)
_CHANGEABLE = frozenset(AttemptRow._fields) - {"id", "video_id", "number", "provider", "state", "created_at"} | {
    "lease_until"
}


_state = member_of(AttemptState)
_detected_by = member_of(DetectedBy)
_error_code = member_of(ErrorCode)
_refund_status = member_of(RefundStatus)
_cancel_state = member_of(CancelState)


def _row(columns: Sequence[object]) -> AttemptRow:
    values = list(columns)
    values[3] = Provider(str(values[3]))
    values[4] = _state(values[4])
    values[17] = values[17] and _detected_by(values[17])
    values[18] = _addresses(values[18])
    values[19] = values[19] and _error_code(values[19])
    values[21] = values[21] and _refund_status(values[21])
    values[24] = values[24] and json.loads(str(values[24]))
    values[26] = _addresses(values[26])
    values[27] = values[27] and _cancel_state(values[27])
    return AttemptRow(*values)  # type: ignore[arg-type]  # the columns are selected in the fields' order


def _addresses(column: object) -> tuple[str, ...]:
    return () if column == "[]" else tuple(json.loads(str(column)))


def select(tx: Tx, condition: str, parameters: dict[str, object] | tuple[object, ...]) -> list[AttemptRow]:
    """Read the attempts that a condition of constant SQL names."""
    rows = tx.execute(f"SELECT {COLUMNS} FROM attempts WHERE {condition}", parameters).fetchall()  # noqa: S608 - constant parts
    return [_row(columns) for columns in rows]


READABLE = "id NOT IN (SELECT id FROM unreadable WHERE kind = 'attempt')"


def select_work(tx: Tx, condition: str, parameters: dict[str, object], *, now: float | None) -> list[AttemptRow]:
    """Select attempts to work on without those that cannot be read, which are put aside unless this only reads."""
    return ask_work(tx, condition, parameters, now=now)()


def ask_work(
    tx: Tx, condition: str, parameters: dict[str, object], *, now: float | None
) -> Callable[[], list[AttemptRow]]:
    """Ask for attempts as `select_work` does, and give what reads the answer."""
    rows = tx.execute(
        f"SELECT {COLUMNS} FROM attempts"  # noqa: S608 - constant parts
        f" WHERE {READABLE} AND {condition}{tx.skip_locked}",
        parameters,
    )
    return lambda: [row for columns in rows.fetchall() if (row := readable(columns, tx, now)) is not None]


def readable(columns: Sequence[object], tx: Tx, now: float | None) -> AttemptRow | None:
    """Read a row; give None for one that cannot be read, which is put aside unless this only reads."""
    try:
        return _row(columns)
    except MALFORMED as error:
        if now is not None:
            put_aside(tx, Kind.ATTEMPT, str(columns[0]), str(error), now=now)
        return None


def add(tx: Tx, attempt_id: str, *, video_id: str, number: int, provider: Provider, now: float) -> None:
    """Store a new attempt that is due to be submitted now."""
    tx.execute(
        "INSERT INTO attempts (id, video_id, number, provider, state, due_at, created_at)"
        " VALUES (?, ?, ?, ?, 'waiting', ?, ?)",
        (attempt_id, video_id, number, provider, now, now),
    )


def get(tx: Tx, attempt_id: str) -> AttemptRow | None:
    """Read one attempt; what writes holds it until its end, so that what it decides by it stays true."""
    return ask(tx, attempt_id)()


def ask(tx: Tx, attempt_id: str) -> Callable[[], AttemptRow | None]:
    """Ask for one attempt as `get` does, and give what reads the answer: several questions can go in one trip."""
    rows = tx.execute(f"SELECT {COLUMNS} FROM attempts WHERE id = ?{tx.row_lock}", (attempt_id,))  # noqa: S608 - constant parts

    def read() -> AttemptRow | None:
        found = rows.fetchone()
        return None if found is None else _row(found)

    return read


def ask_of_video(tx: Tx, video_id: str) -> Callable[[], list[AttemptRow]]:
    """Ask for the attempts of a video in their order, and give what reads the answer."""
    rows = tx.execute(f"SELECT {COLUMNS} FROM attempts WHERE video_id = ? ORDER BY number", (video_id,))  # noqa: S608 - constant parts
    return lambda: [_row(columns) for columns in rows.fetchall()]


def of_videos(tx: Tx, video_ids: Collection[str]) -> dict[str, list[AttemptRow]]:
    """Read the attempts of several videos, each video's in their order."""
    grouped: dict[str, list[AttemptRow]] = {video_id: [] for video_id in video_ids}
    if not grouped:
        return grouped
    marks = ", ".join("?" * len(grouped))
    for attempt in select(tx, f"video_id IN ({marks}) ORDER BY number", tuple(grouped)):
        grouped[attempt.video_id].append(attempt)
    return grouped


def ask_owner_of_job(tx: Tx, provider: Provider, provider_job_id: str) -> Callable[[], str | None]:
    """Ask which attempt a provider's job belongs to, and give what reads the answer."""
    rows = tx.execute("SELECT id FROM attempts WHERE provider = ? AND provider_job_id = ?", (provider, provider_job_id))

    def read() -> str | None:
        found = rows.fetchone()
        return None if found is None else str(found[0])

    return read


def change(
    tx: Tx,
    attempt_id: str,
    to: AttemptState,
    columns: Mapping[str, object],
    *,
    from_states: Collection[AttemptState],
    owner: str | None = None,
) -> bool:
    """Move an attempt to a state, and set columns, if it is in one of `from_states`; say whether it was.

    With `owner` its lease must also still be the owner's. `output_urls` and `kept_urls` are sequences of addresses,
    `job_details` is a mapping.
    Raises ValueError for a column that may not change.
    """
    return ask_change(tx, attempt_id, to, columns, from_states=from_states, owner=owner)()


def ask_change(
    tx: Tx,
    attempt_id: str,
    to: AttemptState,
    columns: Mapping[str, object],
    *,
    from_states: Collection[AttemptState],
    owner: str | None = None,
) -> Callable[[], bool]:
    """Move an attempt as `change` does, and give what says whether it was moved."""
    if not columns.keys() <= _CHANGEABLE:
        raise ValueError(f"may not be changed: {sorted(columns.keys() - _CHANGEABLE)}")
    values = dict(columns)
    for name in values.keys() & {"output_urls", "kept_urls", "job_details"}:
        values[name] = None if values[name] is None else json.dumps(values[name])
    sql = _change(tuple(values), frozenset(from_states), held=owner is not None)
    moved = tx.execute(sql, {"id": attempt_id, "to": to, "held_by": owner, **values})
    return lambda: moved.rowcount == 1


@cache
def _change(columns: tuple[str, ...], from_states: frozenset[AttemptState], *, held: bool) -> str:
    settings = "".join(f", {column} = :{column}" for column in columns)
    states = ", ".join(f"'{state}'" for state in sorted(from_states))
    still = " AND lease_owner = :held_by" if held else ""
    return f"UPDATE attempts SET state = :to{settings} WHERE id = :id AND state IN ({states}){still}"  # noqa: S608 - own columns and states only
