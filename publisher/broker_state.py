"""What is known of the broker: a plain record, for those too who do not speak to it."""

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class BrokerState:
    """Whether the broker is there for us; `since` is in Unix seconds, `last_error` a sentence for people."""

    connected: bool = False
    since: float = field(default_factory=time.time)
    last_error: str | None = None
    dead_letters: int | None = None
    """How many commands are parked, as of a few seconds ago; None while nobody knows."""
    commands: "BrokerState | None" = None
    """How the link that takes commands is doing, where this process has one."""

    def up(self, *, now: float) -> None:
        """Note that a connection is open and the topology declared."""
        if not self.connected:
            self.connected, self.since = True, now

    def clear_error(self) -> None:
        """Note that the connection did what it is there for."""
        self.last_error = None

    def down(self, reason: str, *, now: float) -> None:
        """Note that there is no connection, and why."""
        if self.connected:
            self.connected, self.since = False, now
        self.last_error = reason
