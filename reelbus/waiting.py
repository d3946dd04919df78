"""Wait for the end of a video, with one live line on a terminal and one line a step elsewhere."""

import time
from collections.abc import Callable
from functools import cache
from typing import TextIO

from reelbus.client import Video
from reelbus.errors import FAILURE, stop_with
from reelbus.terminal import Output, cleaned

_LOOK_SECONDS = 0.3
_WHOLE_LINE = "\r\x1b[K"
_ASK_SECONDS = 1.0


Usual = Callable[[str], float | None]
"""Gives how many seconds a provider's videos usually take; None where nobody knows."""

NextCheck = Callable[[str], float | None]
"""Gives when the provider of a video is asked next (Unix seconds); None where nobody knows."""


def wait_for_end(look: Callable[[], Video], video: Video, progress: "Progress", *, timeout: float | None) -> Video:
    """Show a video's state and the seconds gone until it is ready or failed; give it as it then is.

    Ends the command with status 1 after `timeout` seconds: the video itself goes on.
    """
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
    """What a person sees meanwhile: one live line on a terminal, else a line for each step; or nothing.

    The live line also says how long such videos usually take; `usual` is asked once for each provider.
    """

    def __init__(self, usual: Usual, output: Output, stream: TextIO, next_check: NextCheck = lambda _: None) -> None:
        self._usual = cache(usual)
        self._next_check = next_check
        self._asked: tuple[float, float | None] | None = None
        self._stream = stream
        self._quiet = output is Output.QUIET
        self._live = output is Output.INTERACTIVE and stream.isatty()
        self._begun = time.monotonic()
        self._shown = ""

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._begun

    def show(self, video: Video) -> None:
        """Say where the video is; a line of its own for each step where the line cannot be rewritten."""
        if self._quiet:
            return
        state = cleaned(f"{video['id']}  {video['status']}" + (f" at {video['provider']}" if video["provider"] else ""))
        if self._live:
            usual = self._usual(video["provider"]) if video["provider"] else None
            of = "" if usual is None else f", usually {usual:.0f} s"
            at = self._next_check_at(video)
            look = "" if at is None else f", next look in {max(0.0, at - time.time()):.0f} s"
            self._stream.write(f"{_WHOLE_LINE}{state}  {self.seconds:.0f} s{of}{look}")
            self._stream.flush()
        elif state != self._shown:
            self._stream.write(f"{state}\n")
        self._shown = state

    def _next_check_at(self, video: Video) -> float | None:
        """Ask when the provider is looked at next, once a second at most."""
        if video["status"] != "generating":
            return None
        if self._asked is None or self._asked[0] + _ASK_SECONDS <= time.monotonic():
            self._asked = (time.monotonic(), self._next_check(video["id"]))
        return self._asked[1]

    def end(self) -> None:
        """Leave the live line as it is, once."""
        if self._live and self._shown:
            self._stream.write("\n")
            self._live = False
