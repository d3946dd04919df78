"""How many videos each caller has asked for on a day."""

from store.transaction import Tx


def get(tx: Tx, caller: str, *, day: int) -> int:
    """Read how many videos a caller's budget of a day has gone to."""
    row = tx.execute("SELECT videos FROM spending WHERE caller = ? AND day = ?", (caller, day)).fetchone()
    return 0 if row is None else int(row[0])


def add(tx: Tx, caller: str, *, day: int, videos: int) -> None:
    """Count videos towards a caller's day, and forget its earlier days."""
    tx.execute("DELETE FROM spending WHERE caller = ? AND day < ?", (caller, day))
    tx.execute(
        "INSERT INTO spending (caller, day, videos) VALUES (:caller, :day, :videos)"
        " ON CONFLICT (caller, day) DO UPDATE SET videos = spending.videos + :videos",
        {"caller": caller, "day": day, "videos": videos},
    )
