"""When somebody must look at an attempt next: what is due, what makes it due, and what a set clock does to it."""

from collections.abc import Callable, Collection

from schemas.names import Provider
from store.attempts import COLUMNS, READABLE, AttemptRow, AttemptState, ask_work, readable, select_work
from store.transaction import Tx

_UNSENT = (
    "provider = :provider AND state IN ('waiting', 'claimed', 'sending') AND state <> 'sending'"
    " AND due_at <= :now AND lease_until <= :now"
    " AND (lease_owner IS NULL OR lease_owner <> :owner OR lease_until <= :forgotten_before)"
)

_UNENDED = "provider = :provider AND state IN ('unconfirmed', 'generating')"
_GIVEN_UP = "provider = :provider AND state = 'failed' AND due_at IS NOT NULL"
_FREE = "due_at <= :now AND lease_until <= :now ORDER BY due_at LIMIT :limit"
_LONGEST_WAIT = 60.0

_PICTURE_URL = "(SELECT image_url FROM videos WHERE videos.id = attempts.video_id)"


def to_submit(
    tx: Tx, provider: Provider, *, owner: str, now: float, forgotten_before: float, limit: int, uploaded: bool = False
) -> list[AttemptRow]:
    """List the attempts of which certainly nothing was sent yet, longest overdue first.

    The owner's own are left out, for it may still be at them, unless their leases ran out before
    `forgotten_before`. With `uploaded` only those count whose picture was uploaded.
    """
    return select_work(
        tx,
        f"{_UNSENT}{f' AND {_PICTURE_URL} IS NULL' if uploaded else ''} ORDER BY due_at LIMIT :limit",
        {"provider": provider, "owner": owner, "now": now, "forgotten_before": forgotten_before, "limit": limit},
        now=now,
    )


def to_fetch(
    tx: Tx,
    provider: Provider,
    *,
    owner: str,
    now: float,
    forgotten_before: float,
    not_from: Collection[str],
    limit: int,
) -> list[tuple[AttemptRow, str]]:
    """List the attempts of `to_submit` whose picture lies elsewhere, each with its address.

    Left out are addresses that begin with one of `not_from`.
    """
    elsewhere = "".join(
        f" AND substr(picture_url, 1, {len(origin)}) <> :origin{number}" for number, origin in enumerate(not_from)
    )
    given = {"provider": provider, "owner": owner, "now": now, "forgotten_before": forgotten_before, "limit": limit}
    rows = tx.execute(
        f"SELECT * FROM (SELECT {COLUMNS}, {_PICTURE_URL} AS picture_url FROM attempts"  # noqa: S608 - constant parts
        f" WHERE {READABLE} AND {_UNSENT}) AS unsent"
        f" WHERE picture_url IS NOT NULL{elsewhere} ORDER BY due_at LIMIT :limit{tx.skip_locked}",
        given | {f"origin{number}": origin for number, origin in enumerate(not_from)},
    ).fetchall()
    return [(row, columns[-1]) for columns in rows if (row := readable(columns[:-1], tx, now)) is not None]


def to_check(tx: Tx, provider: Provider, *, now: float, limit: int) -> list[AttemptRow]:
    """List the attempts whose provider should be asked, longest overdue first.

    Behind them come those that were given up but may still come to something.
    """
    given: dict[str, object] = {"provider": provider, "now": now, "limit": limit}
    open_ones = ask_work(tx, f"{_UNENDED} AND {_FREE}", given, now=now)
    given_up = ask_work(tx, f"{_GIVEN_UP} AND {_FREE}", given, now=now)
    return [*open_ones(), *given_up()][:limit]


def ask_checks_due(tx: Tx, provider: Provider, *, now: float, limit: int) -> Callable[[], tuple[int, float | None]]:
    """Ask how much `to_check` would list, up to a limit, and since when the oldest is due; give what reads both."""
    rows = tx.execute(
        "SELECT COUNT(*), MIN(due_at) FROM (SELECT due_at FROM attempts"  # noqa: S608 - constant parts
        f" WHERE {READABLE} AND {_UNENDED} AND {_FREE}) AS due",
        {"provider": provider, "now": now, "limit": limit},
    )

    def read() -> tuple[int, float | None]:
        count, oldest = rows.fetchone()
        return count, oldest

    return read


def next_due(
    tx: Tx, condition_states: Collection[AttemptState], provider: Provider, *, after: float = 0.0
) -> float | None:
    """Say when the next attempt in one of these states is due: the states of `to_submit` or of `to_check`.

    Only what is due later than `after` counts.
    """
    states = ", ".join(f"'{state}'" for state in condition_states)
    found = tx.execute(
        f"SELECT due_at FROM attempts WHERE provider = ? AND state IN ({states}) AND due_at > ?"  # noqa: S608 - own states only
        " AND id NOT IN (SELECT id FROM unreadable WHERE kind = 'attempt') ORDER BY due_at LIMIT 1",
        (provider, after),
    ).fetchone()
    return None if found is None else found[0]


def bring_near(tx: Tx, seconds: float, *, now: float) -> None:
    """Take the seconds that a clock was put back by off what it left far ahead: due times, leases, times of the past.

    What was due before the step, and so lies less than the step ahead, is due at once. Nobody waits for it on purpose
    for longer than `_LONGEST_WAIT`.
    """
    for states in ("'waiting', 'claimed', 'sending'", "'unconfirmed', 'generating'"):
        tx.execute(
            "UPDATE attempts SET"  # noqa: S608 - constant parts
            " due_at = CASE WHEN due_at > :now + :seconds THEN due_at - :seconds ELSE :now END,"
            " lease_until = CASE WHEN lease_until > :now + :seconds THEN lease_until - :seconds ELSE lease_until END,"
            " accepted_at = CASE WHEN accepted_at > :now THEN accepted_at - :seconds ELSE accepted_at END,"
            " doubt_since = CASE WHEN doubt_since > :now THEN doubt_since - :seconds ELSE doubt_since END,"
            " checked_at = CASE WHEN checked_at > :now THEN checked_at - :seconds ELSE checked_at END,"
            " woken_at = CASE WHEN woken_at > :now THEN woken_at - :seconds ELSE woken_at END"
            f" WHERE state IN ({states}) AND due_at > :now"
            " AND (due_at > :now + :seconds OR due_at > :now + :longest OR accepted_at > :now OR doubt_since > :now"
            " OR checked_at > :now)",
            {"seconds": seconds, "now": now, "longest": _LONGEST_WAIT},
        )


def hasten(tx: Tx, video_id: str, *, now: float, pause: float) -> bool:
    """Make the checks of a video that is in work due: `pause` seconds after the last at least. Say whether any is.

    A check that somebody has in hand stays as it is: its answer is newer than what one could ask for now.
    """
    tx.execute(
        "UPDATE attempts SET due_at = CASE WHEN checked_at + :pause > :now THEN checked_at + :pause ELSE :now END"
        " WHERE video_id = :video AND state IN ('unconfirmed', 'generating') AND lease_until <= :now"
        " AND due_at > :now",
        {"video": video_id, "now": now, "pause": pause},
    )
    return bool(
        tx.execute(
            "SELECT 1 FROM attempts WHERE video_id = ? AND state IN ('unconfirmed', 'generating')", (video_id,)
        ).fetchone()
    )


def ask_mark_due(tx: Tx, attempt_id: str, *, now: float, pause: float, watched: float) -> Callable[[], Provider | None]:
    """Note that a webhook came for an attempt, and make its check due: `pause` seconds after the last at least.

    A submission that was given up as unknown is due too, for `watched` seconds after its end: the webhook may prove
    that it was accepted. An attempt that waits for no check only gets the note.
    Gives what names the provider where the attempt had ended before.
    """
    rows = tx.execute(
        "UPDATE attempts SET woken_at = :now, due_at = CASE"
        " WHEN state IN ('unconfirmed', 'generating') OR (state = 'failed' AND due_at IS NOT NULL)"
        " OR (error_code = 'submission_unknown' AND provider_job_id IS NULL AND finished_at > :now - :watched)"
        " THEN CASE WHEN checked_at + :pause > :now THEN checked_at + :pause ELSE :now END"
        " ELSE due_at END WHERE id = :id RETURNING provider, finished_at",
        {"id": attempt_id, "now": now, "pause": pause, "watched": watched},
    )

    def read() -> Provider | None:
        found = rows.fetchone()
        return None if found is None or found[1] is None else Provider(found[0])

    return read
