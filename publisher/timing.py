"""How long the room waits for what, in one place; tests wait less."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Every wait of the room in seconds, and the sizes of what it does at once."""

    connect: float = 5.0
    """Until a connection must be open; after that the next address is tried."""
    declare: float = 5.0
    """Until the topology must be declared."""
    confirm: float = 15.0
    """Until a message that is sent alone must be confirmed; after that its fate is unknown."""
    silence: float = 5.0
    """Until the broker must confirm something more of a window of events; after that the fate of the rest is unknown.

    A slow broker has all the time it needs. One that is cut off from its cluster, and lets clients in all the same, is
    given up so soon that publishing is back within 10 s: this, a backoff and another address; or, where no other
    address helps, this, `handover`, `renew` and another process."""
    close: float = 2.0
    """Until a connection must be closed; a frozen broker never says goodbye."""
    stop: float = 5.0
    """For what is in hand when the process is told to stop."""
    backoff_min: float = 0.2
    backoff_max: float = 5.0
    """Between two connections, doubled from one to the next: short enough to resume within 10 s."""
    outbox_poll: float = 1.0
    """Between two looks at the outbox that nobody asked for."""
    topology: float = 5.0
    """Between two declarations of the topology, so that what was deleted comes back."""
    lease: float = 5.0
    """How long the relay's lease outlives a process that died."""
    renew: float = 1.5
    """Between two renewals of that lease."""
    handover: float = 1.0
    """How long a relay that lost its connection keeps the lease for the next one. Another process may be connected to
    the same silent node, and would have to find that out anew."""
    refused_least: float = 1.0
    refused_most: float = 3600.0
    """Before an event that the broker refused is tried again, doubled each time."""
    pause: float = 1.0
    """Before another try where the store was unavailable."""
    gather: float = 0.01
    """Between the beginnings of two windows: what is added meanwhile shares one. An event after a pause waits not."""
    window: int = 400
    """Events that may be unconfirmed at once."""
    window_bytes: int = 500_000
    """Bytes that may be unconfirmed at once, so that a window passes even a slow line in time."""
    prefetch: int = 20
    """Commands in hand at once, while nothing is amiss."""
    hand_bytes: int = 4_000_000
    """Bytes of commands in hand at once; beyond that, and after each lost link, commands are taken one by one."""
    hold: float = 60.0
    """For how long a command in hand waits for the store, before it is left to the queue."""


TIMING = Timing()
