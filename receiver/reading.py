"""Read what is stored of one video, and say so where this release cannot."""

from collections.abc import Callable
from typing import TypeVar

import structlog

from intake.context import Context
from receiver import problems
from schemas.problem import ProblemCode, Refusal
from store.transaction import Tx
from store.unreadable import MALFORMED

T = TypeVar("T")

log = structlog.get_logger(__name__)

_UNREADABLE = (
    "this release cannot read this video, which another one wrote; ask a process of that release, or try again"
    " after the upgrade"
)


async def read_video(context: Context, work: Callable[[Tx, str], T], video_id: str) -> T:
    """Read of one video. Raises `Refusal` (not_ready) where this release cannot read it."""
    try:
        return await context.store.read(work, video_id)
    except MALFORMED as error:
        log.warning("a video cannot be read", video=video_id, error=str(error))
        raise Refusal(ProblemCode.NOT_READY, _UNREADABLE, retry_after=problems.RETRY_SECONDS) from None


def left_out(video_id: str) -> None:
    """Tell of a video that a list does not show."""
    log.warning("video left out of a list: this release cannot read it", video=video_id)
