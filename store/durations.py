"""What was learnt of how long each provider's jobs take, shared by all pollers."""

from schemas.names import Provider
from store.transaction import Tx


def load(tx: Tx, provider: Provider) -> str | None:
    """Read a provider's learnt durations as they were saved; None before the first."""
    row = tx.execute("SELECT weights FROM durations WHERE provider = ?", (provider,)).fetchone()
    return None if row is None else row[0]


def save(tx: Tx, provider: Provider, weights: str, *, completions: int) -> None:
    """Keep a provider's learnt durations, which now hold so many completions more."""
    tx.execute(
        "INSERT INTO durations (provider, weights, completions) VALUES (:provider, :weights, :completions)"
        " ON CONFLICT (provider) DO UPDATE SET weights = :weights, completions = durations.completions + :completions",
        {"provider": provider, "weights": weights, "completions": completions},
    )
