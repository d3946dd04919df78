"""Take a request in: from here on it is ours, and it will end in one terminal event."""

from collections.abc import Callable
from dataclasses import dataclass

from uuid_utils.compat import uuid7

from jobs import audit, spending, view
from schemas.audit import AuditAction
from schemas.names import Motion, Orientation, ProviderChoice, VideoStatus
from schemas.trace import NO_TRACE, Trace
from schemas.video import Video
from store import idempotency, uploads, videos
from store.idempotency import KeptKey
from store.transaction import Tx
from store.uploads import Upload
from store.videos import VideoRow


@dataclass(frozen=True, slots=True)
class NewVideo:
    """A valid request: exactly one of `image_url` and `picture` is given.

    `fingerprint` is the same for the same parsed fields and picture bytes; `caller` names the API key, which may
    ask for `budget` videos a day, or for any number where that is None.
    """

    motion: Motion
    orientation: Orientation
    prompt: str | None
    choice: ProviderChoice
    fallback: bool
    metadata: dict[str, str]
    image_url: str | None
    picture: Upload | None
    caller: str
    idempotency_key: str | None
    fingerprint: str
    retry_of: str | None = None
    """The failed video that this one is made for."""
    budget: int | None = None
    trace: Trace = NO_TRACE


@dataclass(frozen=True, slots=True)
class AcceptedVideo:
    """The video that a request stands for; `created` says whether this very request made it."""

    video: Video
    created: bool


@dataclass(frozen=True, slots=True)
class KeyConflict:
    """The idempotency key already stands for another request."""


@dataclass(frozen=True, slots=True)
class BudgetExhausted:
    """The caller's videos of today are used up; nothing was stored."""


def accept(
    tx: Tx, new: NewVideo, picture_address: Callable[[str], str], *, now: float
) -> AcceptedVideo | KeyConflict | BudgetExhausted:
    """Store a video, or find the one that the same idempotency key stands for.

    `picture_address` makes, from a video's id, the address at which its uploaded picture can be fetched.
    """
    video_id = str(uuid7())
    # First of all, so that of two requests with one key the second waits here and makes nothing.
    kept = _keep_key(tx, new, video_id, now)
    if kept is not None and kept.video_id != video_id:
        return _already(tx, kept, new.fingerprint)
    if not spending.book(tx, new.caller, budget=new.budget, now=now):
        if new.idempotency_key is not None:
            idempotency.drop_key(tx, caller=new.caller, key=new.idempotency_key)
        return BudgetExhausted()
    row = _row(new, video_id, picture_address, now)
    videos.add(tx, row)
    action = AuditAction.SUBMITTED if new.retry_of is None else AuditAction.RETRIED
    detail = None if new.retry_of is None else f"for {new.retry_of}"
    audit.record(tx, action, actor=new.caller, subject=row.id, detail=detail, now=now)
    if new.picture is not None:
        uploads.add(tx, row.id, new.picture)
    return AcceptedVideo(view.untried(row), created=True)


def _keep_key(tx: Tx, new: NewVideo, video_id: str, now: float) -> KeptKey | None:
    if new.idempotency_key is None:
        return None
    kept = KeptKey(new.fingerprint, video_id)
    return idempotency.keep_key(tx, caller=new.caller, key=new.idempotency_key, kept=kept, now=now)


def _already(tx: Tx, kept: KeptKey, fingerprint: str) -> AcceptedVideo | KeyConflict:
    if kept.fingerprint != fingerprint:
        return KeyConflict()
    return AcceptedVideo(view.existing(tx, kept.video_id), created=False)


def _row(new: NewVideo, video_id: str, picture_address: Callable[[str], str], now: float) -> VideoRow:
    return VideoRow(
        id=video_id,
        state=VideoStatus.ACCEPTED,
        motion=new.motion,
        orientation=new.orientation,
        prompt=new.prompt,
        metadata=new.metadata,
        choice=new.choice,
        fallback=new.fallback,
        provider=None,
        image_url=new.image_url,
        input_image=new.image_url or picture_address(video_id),
        caller=new.caller,
        retry_of=new.retry_of,
        error_code=None,
        error_message=None,
        created_at=now,
        updated_at=now,
        completed_at=None,
        traceparent=new.trace.traceparent,
        tracestate=new.trace.tracestate,
    )
