"""What is known of a broker between two commands: its ports and its processes, in its folder."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from sandbox.broker.processes import Process

FILE = "node.json"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a node listens: for clients, for the search by name, for other nodes and `rabbitmqctl`, for management."""

    amqp: int
    epmd: int
    distribution: int
    management: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """The ports are kept for ever, so that clients find a restarted broker; the processes while they run."""

    ports: Ports
    broker: Process | None = None
    epmd: Process | None = None
    watcher: Process | None = None

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read the record of `folder`, or None where no broker was started yet."""
        try:
            known: dict[str, Any] = json.loads((folder / FILE).read_text())
        except FileNotFoundError:
            return None
        processes = {role: Process(**known[role]) if known[role] else None for role in ("broker", "epmd", "watcher")}
        return cls(ports=Ports(**known["ports"]), **processes)

    def save(self, folder: Path) -> None:
        """Write the record in one piece."""
        unfinished = folder / f"{FILE}.new"
        unfinished.write_text(json.dumps(asdict(self), indent=2))
        unfinished.replace(folder / FILE)
