"""`reelbus erase`: erase videos by their ids or by a value of their metadata, after asking once."""

import sys

from reelbus.client import Client
from reelbus.errors import BAD_USAGE, FAILURE, NOT_FOUND, stop_with
from reelbus.terminal import complain, one_line
from reelbus.video_commands import for_each, service


def erase_videos(video_ids: list[str], metadata: dict[str, str], *, sure: bool) -> int:
    """Erase videos, print the ids of those that are gone, and name the others; give the exit status."""
    if bool(video_ids) == bool(metadata):
        stop_with("name the videos by their ids or by --metadata KEY=VALUE, and not by both", BAD_USAGE)
    chosen = list(dict.fromkeys(video_ids)) or _found(metadata)
    if not chosen:
        stop_with("no video has this metadata", NOT_FOUND)
    if not sure and not _confirmed(len(chosen)):
        complain("nothing was erased")
        return FAILURE
    return for_each(chosen, Client.erase)


def _found(metadata: dict[str, str]) -> list[str]:
    with service() as reelbus:
        return [video["id"] for video in reelbus.videos(metadata=metadata)]


def _confirmed(count: int) -> bool:
    what = "one video" if count == 1 else f"{count} videos"
    if not sys.stdin.isatty():
        stop_with(f"would erase {what} for good; say --yes where nobody can be asked", BAD_USAGE)
    sys.stderr.write(one_line(f"erase {what} for good, with everything that is kept of them? [y/N] "))
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
