"""The shapes of providers' answers that no page documents."""

from typing import NamedTuple

from schemas.names import Provider
from store.transaction import Tx


class AnswerShape(NamedTuple):
    """One shape: its redacted body, what it was first taken for, and how often it was seen; times in Unix seconds."""

    provider: Provider
    shape: str
    status: int
    content_type: str
    body: str
    read_as: str
    release: str
    first_at: float
    last_at: float
    seen: int


_COLUMNS = "provider, shape, status, content_type, body, read_as, release, first_at, last_at, seen"


def add(tx: Tx, row: AnswerShape) -> bool:
    """Keep a shape, or count it where it is kept already; say whether it is new."""
    seen: int = tx.execute(
        f"INSERT INTO answer_shapes ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constant columns
        " ON CONFLICT (provider, shape) DO UPDATE SET seen = answer_shapes.seen + excluded.seen,"
        " last_at = excluded.last_at RETURNING seen",
        tuple(row),
    ).fetchone()[0]
    return seen == row.seen


def count(tx: Tx, provider: Provider) -> int:
    """Count the shapes that are kept of a provider."""
    kept: int = tx.execute("SELECT COUNT(*) FROM answer_shapes WHERE provider = ?", (provider,)).fetchone()[0]
    return kept


def is_kept(tx: Tx, provider: Provider, shape: str) -> bool:
    """Say whether a shape is kept."""
    found = tx.execute("SELECT 1 FROM answer_shapes WHERE provider = ? AND shape = ?", (provider, shape)).fetchone()
    return found is not None


def listed(tx: Tx) -> list[AnswerShape]:
    """List every kept shape; there are few of each provider."""
    rows = tx.execute(f"SELECT {_COLUMNS} FROM answer_shapes ORDER BY provider, shape").fetchall()  # noqa: S608 - constant columns
    return sorted((AnswerShape(Provider(name), *rest) for name, *rest in rows), key=lambda row: row.first_at)


def remove(tx: Tx, provider: Provider, shape: str) -> None:
    """Forget a shape, such as one that is documented by now."""
    tx.execute("DELETE FROM answer_shapes WHERE provider = ? AND shape = ?", (provider, shape))
