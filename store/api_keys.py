"""API keys that were created here, and the callers whose keys are switched off."""

from collections.abc import Collection
from typing import NamedTuple

from schemas.scopes import Scope
from store.transaction import Tx


class StoredKey(NamedTuple):
    """One key, known by the SHA-256 of it in hexadecimal; times in Unix seconds, `budget` in videos a day."""

    name: str
    digest: str
    scopes: frozenset[Scope]
    budget: int | None
    created_at: float
    expires_at: float | None
    disabled_at: float | None


def add(tx: Tx, key: StoredKey) -> None:
    """Store a new key."""
    tx.execute(
        "INSERT INTO api_keys (name, digest, scopes, budget, created_at, expires_at, disabled_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*key._replace(scopes=_written(key.scopes)),),  # type: ignore[arg-type]  # as its column holds it
    )


def get_all(tx: Tx) -> list[StoredKey]:
    """Read all keys, those too that are disabled or have expired, oldest first."""
    rows = tx.execute(
        "SELECT name, digest, scopes, budget, created_at, expires_at, disabled_at FROM api_keys ORDER BY id"
    ).fetchall()
    return [StoredKey(row[0], row[1], frozenset(map(Scope, row[2].split())), *row[3:]) for row in rows]


def disabled_callers(tx: Tx) -> frozenset[str]:
    """Read the names whose keys in the settings are switched off."""
    return frozenset(row[0] for row in tx.execute("SELECT name FROM disabled_callers").fetchall())


def disable(tx: Tx, name: str, *, now: float) -> int:
    """Disable all keys of a name, those in the settings too; say how many of ours there were."""
    disabled = tx.execute("UPDATE api_keys SET disabled_at = ? WHERE name = ? AND disabled_at IS NULL", (now, name))
    tx.execute("INSERT INTO disabled_callers (name, disabled_at) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, now))
    return disabled.rowcount


def disable_one(tx: Tx, name: str, digest: str, *, now: float) -> int:
    """Disable the keys of a name whose SHA-256 begins with `digest`; say how many that were."""
    return tx.execute(
        "UPDATE api_keys SET disabled_at = ? WHERE name = ? AND substr(digest, 1, ?) = ? AND disabled_at IS NULL",
        (now, name, len(digest), digest),
    ).rowcount


def enable(tx: Tx, name: str) -> bool:
    """Enable the keys that the settings hold for a name again; say whether they were disabled."""
    return tx.execute("DELETE FROM disabled_callers WHERE name = ?", (name,)).rowcount == 1


def _written(scopes: Collection[Scope]) -> str:
    return " ".join(sorted(scopes))
