"""What is open at one provider: turned away, waiting, unsent or sent."""

from collections.abc import Sequence

from schemas.names import Provider
from store.attempts import AttemptRow, select, select_work
from store.transaction import Tx


def turned_away(tx: Tx, provider: Provider, *, before: float, limit: int) -> list[AttemptRow]:
    """List the attempts that wait and that their provider turned away first before a time."""
    return select(
        tx,
        "provider = :provider AND state = 'waiting' AND doubt_since <= :before ORDER BY doubt_since LIMIT :limit",
        {"provider": provider, "before": before, "limit": limit},
    )


def waiting(tx: Tx, provider: Provider, *, due_before: float, limit: int) -> list[AttemptRow]:
    """List the attempts that have waited to be submitted since before a time, longest overdue first."""
    return select(
        tx,
        "provider = :provider AND state IN ('waiting', 'claimed', 'sending') AND state = 'waiting'"
        " AND due_at <= :before ORDER BY due_at LIMIT :limit",
        {"provider": provider, "before": due_before, "limit": limit},
    )


def unsent_of(tx: Tx, provider: Provider, *, now: float, limit: int) -> list[AttemptRow]:
    """List a provider's attempts that are not accepted yet and that nobody has in hand, longest due first."""
    return _free(tx, provider, "'waiting', 'claimed', 'sending'", now=now, limit=limit)


def sent_of(tx: Tx, provider: Provider, *, now: float, limit: int) -> list[AttemptRow]:
    """List a provider's attempts that were sent and have not ended, and that nobody has in hand, longest due first."""
    return _free(tx, provider, "'unconfirmed', 'generating'", now=now, limit=limit)


def _free(tx: Tx, provider: Provider, states: str, *, now: float, limit: int) -> list[AttemptRow]:
    return select_work(
        tx,
        f"provider = :provider AND state IN ({states}) AND lease_until <= :now ORDER BY due_at LIMIT :limit",
        {"provider": provider, "now": now, "limit": limit},
        now=now,
    )


def count_open(tx: Tx, provider: Provider, *, limit: int) -> int:
    """Count a provider's attempts that have not ended: up to `limit` that were not sent yet, and as many others."""
    counted: int = tx.execute(
        "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM attempts"
        " WHERE provider = :provider AND state IN ('waiting', 'claimed', 'sending') LIMIT :limit) AS unsent)"
        " + (SELECT COUNT(*) FROM (SELECT 1 FROM attempts"
        " WHERE provider = :provider AND state IN ('unconfirmed', 'generating') LIMIT :limit) AS sent)",
        {"provider": provider, "limit": limit},
    ).fetchone()[0]
    return counted


def sending(tx: Tx, provider: Provider, *, now: float | None) -> list[AttemptRow]:
    """List the attempts that may be being sent, whoever has them in hand."""
    return select_work(tx, "state = 'sending' AND provider = :provider", {"provider": provider}, now=now)


def accepted_before(tx: Tx, *, before: float, limit: int) -> list[AttemptRow]:
    """List the unfinished attempts that their provider accepted before a time, but none that cannot be read."""
    return select_work(
        tx,
        "state = 'generating' AND accepted_at <= :before ORDER BY accepted_at LIMIT :limit",
        {"before": before, "limit": limit},
        now=None,
    )


def put_forward(tx: Tx, seconds: float, *, now: float) -> None:
    """Move the past times of open attempts forward by so many seconds, if they were before a step of the clock.

    What waits to be submitted has been due since so much later, too: that tells how long it has waited.

    What was noted since the step by so many seconds, up to `now`, is left alone.
    """
    times = ("accepted_at", "doubt_since", "checked_at", "woken_at")
    later = ", ".join(f"{at} = CASE WHEN {at} <= :before THEN {at} + :seconds ELSE {at} END" for at in times)
    due = "due_at = CASE WHEN state = 'waiting' AND due_at <= :before THEN due_at + :seconds ELSE due_at END"
    for states in ("'waiting', 'claimed', 'sending'", "'unconfirmed', 'generating'"):
        tx.execute(
            f"UPDATE attempts SET {later}, {due} WHERE state IN ({states})",  # noqa: S608 - constant parts
            {"seconds": seconds, "before": now - seconds},
        )


def strangers(tx: Tx, known: Sequence[Provider]) -> list[Provider]:
    """Name the providers of open attempts, apart from those that are known."""
    marks = ", ".join("?" * len(known))
    rows = tx.execute(
        f"SELECT provider FROM attempts WHERE state IN ('waiting', 'claimed', 'sending') AND provider NOT IN ({marks})"  # noqa: S608 - only marks
        f" UNION SELECT provider FROM attempts WHERE state IN ('unconfirmed', 'generating')"
        f" AND provider NOT IN ({marks})",
        (*known, *known),
    ).fetchall()
    return [Provider(name) for (name,) in rows]
