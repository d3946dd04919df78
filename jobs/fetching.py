"""Pictures that must be fetched before their videos can be submitted: claimed apart, and at no cost to the budget.

Fetching has a lane of its own, so that a picture host that hangs holds up nothing but its own pictures. An attempt
whose picture is there is claimed once more, by `jobs.submit`, beside those that need none.
"""

from collections import Counter
from collections.abc import Collection
from urllib.parse import urlsplit

from jobs import circuit
from jobs.policy import ABANDONED_LEASE_SECONDS
from jobs.submission_claims import TO_SUBMIT, Claim, claim_each
from schemas.names import Provider
from store import due_attempts
from store.attempts import AttemptRow
from store.transaction import Tx

PER_HOST = 2
"""Pictures that one process fetches from one host at once."""

_WINDOW = 200
"""Attempts that one claim looks at."""


def claim(tx: Tx, provider: Provider, *, owner: str, room: int, in_hand: Collection[str], now: float) -> Claim:
    """Claim up to `room` attempts whose picture is to be fetched, longest overdue first, at most two of one host.

    `in_hand` are the addresses of the pictures that the owner is fetching already.
    """
    gate = circuit.gate(tx, provider, now=now)
    room = room if gate.room is None else min(room, gate.room)
    hosts = Counter(map(host_of, in_hand))
    busy = {_origin(url) for url in in_hand if hosts[host_of(url)] >= PER_HOST}
    found = due_attempts.to_fetch(
        tx,
        provider,
        owner=owner,
        now=now,
        forgotten_before=now - ABANDONED_LEASE_SECONDS,
        not_from=busy,
        limit=_WINDOW if room > 0 else 0,
    )
    chosen: list[AttemptRow] = []
    for attempt, url in found:
        if len(chosen) < room and hosts[host_of(url)] < PER_HOST:
            hosts[host_of(url)] += 1
            chosen.append(attempt)
    work = claim_each(tx, chosen, owner=owner, now=now)
    return Claim(work, due_attempts.next_due(tx, TO_SUBMIT, provider, after=now))


def host_of(url: str) -> str:
    """Name the host of a picture's address, which was checked when its video was accepted."""
    return urlsplit(url).hostname or ""


def _origin(url: str) -> str:
    """Give what an address begins with, as far as its host and port go."""
    parts = urlsplit(url)
    return url[: len(f"{parts.scheme}://{parts.netloc}")]
