"""Wait for the end of a video, with one live line on a terminal and one line a step elsewhere."""

import sys
import time
from collections.abc import Callable
from functools import cache

from reelbus.client import Video
from reelbus.errors import FAILURE, stop_with
from reelbus.terminal import cleaned

_LOOK_SECONDS = 0.3
_WHOLE_LINE = "\r\x1b[K"


Usual = Callable[[str], float | None]
"""Gives how many seconds a provider's videos usually take; None where nobody knows."""


def wait_for_end(look: Callable[[], Video], video: Video, usual: Usual, *, timeout: float | None) -> Video:
    """Show a video's state and the seconds gone until it is ready or failed; give it as it then is.

    On a terminal the line also says how long such videos usually take; `usual` is asked once for each provider.
    Ends the command with status 1 after `timeout` seconds: the video itself goes on.
    """
    progress = Progress(usual, live=sys.stderr.isatty())
    try:
        while video["status"] not in {"ready", "failed"}:
            progress.show(video)
            if timeout is not None and progress.seconds >= timeout:
                progress.end()
                stop_with(
                    f"{video['id']} is still {video['status']} after {timeout:g} s and goes on;"
                    f" look again with reelbus show {video['id']}",
                    FAILURE,
                )
            time.sleep(_LOOK_SECONDS)
            video = look()
        progress.show(video)
    finally:
        progress.end()
    return video


class Progress:
    """What a person sees meanwhile, on stderr."""

    def __init__(self, usual: Usual, *, live: bool) -> None:
        self._usual = cache(usual)
        self._live = live
        self._begun = time.monotonic()
        self._shown = ""

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._begun

    def show(self, video: Video) -> None:
        """Say where the video is; a line of its own for each step where the line cannot be rewritten."""
        state = cleaned(f"{video['id']}  {video['status']}" + (f" at {video['provider']}" if video["provider"] else ""))
        if self._live:
            usual = self._usual(video["provider"]) if video["provider"] else None
            of = "" if usual is None else f", usually {usual:.0f} s"
            sys.stderr.write(f"{_WHOLE_LINE}{state}  {self.seconds:.0f} s{of}")
            sys.stderr.flush()
        elif state != self._shown:
            sys.stderr.write(f"{state}\n")
        self._shown = state

    def end(self) -> None:
        """Leave the live line as it is, once."""
        if self._live and self._shown:
            sys.stderr.write("\n")
            self._live = False
