"""Make failed videos again, one by one or all of a while."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from reelbus.client import Client
from reelbus.errors import BAD_USAGE, stop_with
from reelbus.video_commands import for_each, service

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_LIFE = timedelta(days=2)
"""How long before its failure a video may have been made: the list is sorted by when videos were made."""


def retry_all(video_ids: list[str], *, failed: bool, since: str | None, code: str | None, accept_risk: bool) -> int:
    """Retry these videos, or all that failed; print each new id, name what is refused; give the exit status."""
    age = _age(since)
    if failed == bool(video_ids):
        stop_with("name the videos to retry, or give --failed for all that failed, and not both", BAD_USAGE)
    if video_ids and (since or code):
        stop_with("--since and --code choose among all that failed; give them with --failed", BAD_USAGE)
    retry = partial(_retry, accept_risk=accept_risk)
    with service() as reelbus:
        chosen = list(_failed(reelbus, age, code)) if failed else video_ids
    return for_each(chosen, retry, print_answer=True) if chosen else 0


def _retry(reelbus: Client, video_id: str, *, accept_risk: bool) -> str:
    return reelbus.retry(video_id, accept_risk=accept_risk)["id"]


def _failed(reelbus: Client, age: timedelta | None, code: str | None) -> Iterator[str]:
    """List what failed, newest first; of a video and its failed retry only the retry, so that none is made twice."""
    since = None if age is None else datetime.now(UTC) - age
    made_since = None if since is None else (since - _LONGEST_LIFE).isoformat()
    retried = set()
    for video in reelbus.videos(status="failed", since=made_since):
        if retry_of := video["retry_of"]:
            retried.add(retry_of)
        completed_at, error = video["completed_at"], video["error"]
        too_old = since is not None and completed_at is not None and datetime.fromisoformat(completed_at) < since
        if not too_old and video["id"] not in retried and code in {None, error and error["code"]}:
            yield video["id"]


def _age(text: str | None) -> timedelta | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None:
        stop_with(f"--since {text!r} is not an age; write it as 30s, 15m, 1h or 2d", BAD_USAGE)
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])
