"""Stop videos from the shell, and say of each what came of it."""

import time

from reelbus.client import Client
from reelbus.client.documents import Cancellation
from reelbus.errors import FAILURE
from reelbus.video_commands import for_each

_LOOK_SECONDS = 0.3
_REFUNDS = {"not_charged": "costs nothing", "charged": "is paid for", "refunded": "is credited back"}


def cancel_all(video_ids: list[str], *, within: float) -> int:
    """Stop videos, wait `within` seconds for their providers' words, print what came of each; give the exit status.

    It is 1 where a video could not be stopped any more.
    """
    outcomes: list[str] = []

    def cancel(reelbus: Client, video_id: str) -> str:
        told = _told(reelbus, video_id, within)
        outcomes.append(told["outcome"])
        return _line(told)

    status = for_each(video_ids, cancel, print_answer=True)
    return FAILURE if status == 0 and "too_late" in outcomes else status


def _told(reelbus: Client, video_id: str, within: float) -> Cancellation:
    give_up_at = time.monotonic() + within
    told = reelbus.cancel(video_id)
    while told["outcome"] == "wished" and time.monotonic() < give_up_at:
        time.sleep(_LOOK_SECONDS)
        told = reelbus.cancel(video_id)
    return told


def _line(told: Cancellation) -> str:
    refund = told["refund"]
    price = _REFUNDS.get(refund["status"], "nobody knows what it costs") if refund else "nobody knows what it costs"
    return f"{told['id']}  {told['outcome'].replace('_', ' '):<8}  {price}: {told['message']}"
