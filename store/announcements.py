"""Which providers the living generators and pollers can ask, as they announce it."""

from collections.abc import Callable, Collection
from enum import StrEnum

from schemas.names import Provider
from store.transaction import Tx

_ALIVE = ""
"""Stands for the process itself, which may have no provider at all."""


class Role(StrEnum):
    """Who announces: generators submit, pollers look."""

    GENERATOR = "generator"
    POLLER = "poller"


def announce(tx: Tx, role: Role, enabled: Collection[Provider], *, now: float) -> None:
    """Say that a process of a role lives, and which providers it has credentials for."""
    tx.executemany(
        "INSERT INTO announcements (role, provider, announced_at) VALUES (?, ?, ?)"
        " ON CONFLICT (role, provider) DO UPDATE SET announced_at = excluded.announced_at",
        [(role, name, now) for name in (_ALIVE, *enabled)],
    )


def announced(tx: Tx) -> dict[tuple[Role, Provider | None], float]:
    """Read when each role last said that it has a provider, or, under None, that it lives; Unix seconds."""
    return ask_announced(tx)()


def ask_announced(tx: Tx) -> Callable[[], dict[tuple[Role, Provider | None], float]]:
    """Ask what `announced` tells, and give what reads the answer."""
    rows = tx.execute("SELECT role, provider, announced_at FROM announcements")
    return lambda: {(Role(role), Provider(name) if name else None): at for role, name, at in rows.fetchall()}
