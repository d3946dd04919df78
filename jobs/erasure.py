"""Erase videos: one that an operator names, and, a few at a time, all that are older than they are kept.

Erasing and what it must not break are one transaction: a video goes only when it has ended and the broker has
confirmed every event of it, so that its end is still told exactly once. A process that dies after the commit leaves
the picture's file at most, and a file without a video is removed some minutes later.
"""

from dataclasses import dataclass

from jobs import audit
from jobs.policy import Policy
from schemas.audit import AuditAction
from store import erasure, video_lists
from store.transaction import Tx
from store.uploads import Dropped

AT_ONCE = 5
"""How many old videos go in one transaction; each is dozens of rows and places in indexes, often from a cold disk."""


@dataclass(frozen=True, slots=True)
class Erased:
    """The video is gone; these files are to be removed after the commit."""

    pictures: list[str]


@dataclass(frozen=True, slots=True)
class NotFinished:
    """The video stays, for something must still be done about it; `why` says what."""

    why: str


def erase(tx: Tx, video_id: str, *, actor: str, now: float) -> Erased | NotFinished | None:
    """Erase a finished video with everything of it, and note who did; None where there is none of this id."""
    found = erasure.state_of(tx, video_id)
    if found is None:
        return None
    state, published = found
    if state not in {"ready", "failed"}:
        return NotFinished(f"the video is {state}; wait until it is ready or failed")
    if not published:
        return NotFinished("the broker has not confirmed all the video's events yet; try again when they are published")
    files = erasure.erase(tx, video_id)
    audit.record(tx, AuditAction.ERASED, actor=actor, subject=video_id, now=now)
    return Erased(files)


def erase_old(tx: Tx, policy: Policy, *, now: float, limit: int = AT_ONCE) -> Dropped:
    """Erase some of the videos that ended longer ago than they are kept. Their files are to be removed afterwards."""
    if not policy.retention:
        return Dropped(0, [])
    before = now - policy.retention
    found = erasure.ended_before(tx, before=before, up_to_id=video_lists.first_id(before), limit=limit)
    return Dropped(len(found), [name for video_id in found for name in erasure.erase(tx, video_id)])
