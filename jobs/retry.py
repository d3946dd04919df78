"""A failed video once more, as a new one: never two at once, and never silently where the first may have been paid."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jobs import accept, routing, view
from jobs.accept import AcceptedVideo, BudgetExhausted, KeyConflict, NewVideo
from schemas.names import Provider, RefundStatus, VideoStatus
from schemas.problem import ProblemCode, Refusal
from store import uploads, videos
from store.transaction import Tx
from store.videos import VideoRow

_NOT_PAID = frozenset({RefundStatus.REFUNDED, RefundStatus.NOT_CHARGED})


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for a retry, with how many videos a day, and whether that caller takes the risk of paying twice."""

    caller: str
    budget: int | None = None
    accepts_risk: bool = False


def retry(
    tx: Tx,
    enabled: Sequence[Provider],
    video_id: str,
    asker: Asker,
    picture_address: Callable[[str], str],
    *,
    now: float,
) -> AcceptedVideo | BudgetExhausted | None:
    """Make a failed video anew, or give the one that was made of it and has not failed; None without such a video.

    `enabled` are the providers with credentials; `picture_address` is as in `accept.accept`.

    Raises `Refusal` for a video that has not failed, that may have been paid, or that cannot be made any more.
    """
    video = videos.get(tx, video_id)
    if video is None:
        return None
    if video.state is not VideoStatus.FAILED:
        detail = f"the video is {video.state}; only a failed one can be retried"
        raise Refusal(ProblemCode.NOT_FAILED, detail)
    family = _family(tx, video)
    living = next((member for member in family if member.state is not VideoStatus.FAILED), None)
    if living is not None:
        return AcceptedVideo(view.existing(tx, living.id), created=False)
    if not asker.accepts_risk:
        _refuse_paying_twice(tx, family)
    routing.refuse_unroutable(video.choice, video.motion, enabled)
    made = accept.accept(tx, _again(tx, video, asker), picture_address, now=now)
    if isinstance(made, KeyConflict):
        raise TypeError("a retry has no idempotency key")
    if isinstance(made, AcceptedVideo):
        uploads.copy_body(tx, video.id, made.video.id)
    return made


def _family(tx: Tx, video: VideoRow) -> list[VideoRow]:
    """Read the video, what it is a retry of, and all their retries: together they may become one video."""
    first = video
    while first.retry_of is not None and (earlier := videos.get(tx, first.retry_of)) is not None:
        first = earlier
    family = [first]
    for member in family:  # it grows while it is walked through
        family += videos.retries_of(tx, member.id)
    return family


def _refuse_paying_twice(tx: Tx, family: list[VideoRow]) -> None:
    for member in family:
        refund = view.existing(tx, member.id).refund
        if refund is None or refund.status not in _NOT_PAID:
            raise Refusal(
                ProblemCode.RETRY_MAY_PAY_TWICE,
                f"nobody knows whether video {member.id} was paid for; look at your provider's account, then send"
                ' {"accept_risk": true}, or leave it',
            )


def _again(tx: Tx, video: VideoRow, asker: Asker) -> NewVideo:
    picture = None if video.image_url is not None else uploads.of_video(tx, video.id)
    if video.image_url is None and picture is None:
        detail = "the uploaded picture is no longer kept; submit it again with POST /v1/videos"
        raise Refusal(ProblemCode.IMAGE_REJECTED, detail)
    return NewVideo(
        motion=video.motion,
        orientation=video.orientation,
        prompt=video.prompt,
        choice=video.choice,
        fallback=video.fallback,
        metadata=video.metadata,
        image_url=video.image_url,
        picture=picture,
        caller=asker.caller,
        idempotency_key=None,
        fingerprint="",
        retry_of=video.id,
        budget=asker.budget,
    )
