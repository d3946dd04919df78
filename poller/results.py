"""Prove a result: ask its address before the video is announced as ready, and keep a copy where that is wished."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from jobs.results import Proven, Unproven
from poller.keeping import ClipStore, NotKept
from process import metrics
from process.failpoints import failpoint
from providers.http.guarded import Guard
from providers.http.results import Clip, NoVideo, examine, opened_clip
from schemas.times import rfc3339
from schemas.video import Media
from store.attempts import AttemptRow

KEEP_SECONDS = 300.0
"""How long one clip may take to be copied."""

LARGEST_KEPT = 2 * 2**30
"""Bytes of a clip above which it is not kept."""

log = structlog.get_logger(__name__)

Prove = Callable[[AttemptRow, tuple[str, ...]], Awaitable[Proven | Unproven]]
"""Asks the addresses that a provider gave for an attempt; never raises for what is there, or is not."""


@dataclass(frozen=True, slots=True)
class ResultProver:
    """Asks addresses through `guard`, each for `timeout` seconds at most; copies go to `clips`, if there is one."""

    guard: Guard
    timeout: float
    clips: ClipStore | None = None

    async def prove(self, attempt: AttemptRow, urls: tuple[str, ...]) -> Proven | Unproven:
        """Ask the first address, or where copies are kept each of them."""
        try:
            media, kept = await self._ask(attempt, urls)
        except (NoVideo, NotKept) as error:
            metrics.results_proven.labels(attempt.provider, "not_proven").inc()
            log.warning("result not proven", video=attempt.video_id, provider=attempt.provider, reason=str(error))
            return Unproven(urls, str(error))
        metrics.results_proven.labels(attempt.provider, "kept" if kept else "proven").inc()
        await failpoint("result proven")
        return Proven(urls, media, kept)

    async def _ask(self, attempt: AttemptRow, urls: tuple[str, ...]) -> tuple[Media, tuple[str, ...]]:
        if self.clips is not None:
            return await self._keep(self.clips, attempt, urls)
        return _media(await examine(urls[0], self.guard, timeout=self.timeout)), ()

    async def _keep(
        self, clips: ClipStore, attempt: AttemptRow, urls: tuple[str, ...]
    ) -> tuple[Media, tuple[str, ...]]:
        found, kept = [], []
        for place, url in enumerate(urls, start=1):
            async with opened_clip(url, self.guard, timeout=KEEP_SECONDS, most=LARGEST_KEPT) as clip:
                name = f"{attempt.video_id}-{attempt.number}-{place}"
                copy = await clips.keep(name, clip.content_type, clip.length, clip.pieces())
            found.append(_media(clip, length=copy.length))
            kept.append(copy.url)
        return found[0], tuple(kept)


def _media(clip: Clip, *, length: int | None = None) -> Media:
    """Tell what was found; duration and size of the picture would need the whole file to be read as a video."""
    size = clip.length if length is None else length
    return Media(content_type=clip.content_type, bytes=size, checked_at=rfc3339(time.time()))
