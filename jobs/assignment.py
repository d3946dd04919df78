"""Choose a provider for accepted videos."""

from collections.abc import Sequence
from functools import partial

from jobs import circuit, routing, settle
from jobs.announced import ask_enabled
from jobs.circuit import Takers
from jobs.policy import Policy
from schemas.names import Provider
from store import videos
from store.transaction import Tx
from store.unreadable import Kind, each_of_many
from store.videos import VideoRow

UNROUTED_SECONDS = 30.0
"""How long a video waits for a generator that has a provider for it."""

ROUTED_AT_ONCE = 100
"""Few, because it runs beside everything else."""


def route(tx: Tx, policy: Policy, *, now: float) -> int:
    """Choose a provider for accepted videos, oldest first; say how many were taken care of.

    One that no generator seems to have is left for a while to those that may be just starting.
    """
    asked, announced = videos.ask_accepted(tx, limit=ROUTED_AT_ONCE, now=now), ask_enabled(tx, policy.providers)
    takers = circuit.Takers(tx, policy, now=now)
    found, enabled = asked(), announced() or ()
    parts = {video.id: partial(_route, tx, enabled, takers, video, now) for video in found}
    routed = each_of_many(tx, Kind.VIDEO, parts, now=now)
    return sum(each is not False for each in routed)


def _route(tx: Tx, enabled: Sequence[Provider], takers: Takers, video: VideoRow, now: float) -> bool:
    provider = routing.choose_first(video.choice, video.motion, enabled, takers.willing())
    if provider is not None:
        takers.chosen(provider)
        settle.begin_first_attempt(tx, video, provider, now=now)
        return True
    if now < video.created_at + UNROUTED_SECONDS:
        return False
    return settle.fail_unrouted(tx, video.id, "no enabled provider has this motion any more", now=now)
