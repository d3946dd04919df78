"""What was measured of a video's way over PostgreSQL: the figures that the simulation works with, in one place.

Each role's processor time, and its bytes, are of `python -m bench --only p6`; what the steps take of PostgreSQL is of
`python -m bench.step_costs`, each step taken alone, on two cores beside a load of 12.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["receiver", "generator", "poller", "publisher"]


@dataclass(frozen=True, slots=True)
class RoleCosts:
    """What a video takes of one role: seconds of our processor, bytes of PostgreSQL's log."""

    ours: float
    logged: float


@dataclass(frozen=True, slots=True)
class Step:
    """What one step takes: seconds of our processor and of PostgreSQL's, trips to the server, bytes logged."""

    ours: float
    database: float
    trips: int
    logged: float


@dataclass(frozen=True, slots=True)
class Share:
    """A step's part of its role's processor time and bytes, its seconds of PostgreSQL when taken alone, its trips."""

    role: Role
    ours: float
    alone: float
    trips: int


ROLES: Mapping[Role, RoleCosts] = {
    "receiver": RoleCosts(0.00146, 1970),
    "generator": RoleCosts(0.00378, 6680),
    "poller": RoleCosts(0.00218, 5170),
    "publisher": RoleCosts(0.00119, 2550),
}

DATABASE = 0.004
"""Seconds of PostgreSQL's processors a video, in the whole pipeline at its best: 3.0, 3.6 and 4.8 ms in three runs."""

NOTHING = Step(ours=0.0004, database=0.00062, trips=2, logged=0)
"""To look for work, and find none. A look that finds some takes this, and what `SHARES` says for each piece."""

WINDOW = Step(ours=0.0007, database=0.0006, trips=3, logged=0)
"""To publish a window of events, whatever is in it."""

SHARES: Mapping[str, Share] = {
    "accept": Share("receiver", 0.7, 0.00047, 1),
    "webhook": Share("receiver", 0.3, 0.00047, 1),
    "route": Share("generator", 0.15, 0.00047, 3),
    "claim": Share("generator", 0.15, 0.00035, 4),
    "send": Share("generator", 0.35, 0.00049, 1),
    "accepted": Share("generator", 0.35, 0.00122, 4),
    "look": Share("poller", 0.2, 0.00013, 4),
    "settle": Share("poller", 0.8, 0.00109, 4),
    "relay": Share("publisher", 0.5, 0.00004, 0),
}
"""One of each a video; of `relay` two, for a video has two events. `webhook` was not taken alone: as `accept`."""

LOOKS: Mapping[Role, float] = {"receiver": 0, "generator": 2, "poller": 1, "publisher": 0}
"""Kinds of work that each role looks for."""

TOGETHER = 3.0
"""Pieces of work that a look finds, and events of a window, in the pipeline at its best. Supposed, not measured."""


def steps(
    roles: Mapping[Role, RoleCosts] = ROLES, database: float = DATABASE, *, together: float = TOGETHER
) -> dict[str, Step]:
    """Divide what was measured of a whole video among its steps; `together` is how much a look found then.

    `nothing` is a look that finds nothing, `window` a window without its events.
    """
    alone = sum((2 if name == "relay" else 1) * share.alone for name, share in SHARES.items())
    alone += (sum(LOOKS.values()) * NOTHING.database + 2 * WINDOW.database) / together
    scale = database / alone
    found = {
        "nothing": Step(NOTHING.ours, scale * NOTHING.database, NOTHING.trips, 0.0),
        "window": Step(WINDOW.ours, scale * WINDOW.database, WINDOW.trips, 0.0),
    }
    for name, share in SHARES.items():
        role = roles[share.role]
        apart = LOOKS[share.role] * NOTHING.ours + (2 * WINDOW.ours if share.role == "publisher" else 0.0)
        ours = share.ours * max(0.0, role.ours - apart / together)
        found[name] = Step(ours, scale * share.alone, share.trips, share.ours * role.logged)
    return found


SWEEP, SWEPT_ROWS = Step(ours=0.0023, database=0.004, trips=8, logged=20_000), 50
"""One sweep of old rows, and how many it takes: 4.6 ms by the clock of 10,000,000 videos (docs/scaling.md)."""

ERASURE, ERASED_VIDEOS = Step(ours=0.003, database=0.005, trips=30, logged=20_000), 5
"""One erasure of old videos, and how many go: 8 ms by the clock there."""
