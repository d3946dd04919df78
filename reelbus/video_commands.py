"""The commands of a shell that talk to a running service, through `reelbus.client`."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from statistics import median
from typing import TypeVar

from process.settings import Settings
from reelbus.client import Client, ServiceAway, ServiceError, Video
from reelbus.errors import (
    BAD_USAGE,
    FAILURE,
    NOT_FOUND,
    UNAVAILABLE,
    VIDEO_FAILED,
    settings_or_exit,
    stop_with,
)
from reelbus.terminal import Output, cleaned, complain, one_line, printable_json
from reelbus.waiting import Progress, wait_for_end
from schemas.names import AUTO

T = TypeVar("T")

_LOOK_SECONDS = 0.3
_WAIT_SECONDS = 30.0
_LEARNT_FROM = 20
_SUBSCRIPTIONS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class SubmitInput:
    """What `reelbus submit` was told."""

    image: str
    motion: str
    provider: str
    prompt: str | None
    orientation: str
    fallback: bool | None
    metadata: dict[str, str]
    idempotency_key: str | None


def submit_and_report(submission: SubmitInput, output: Output, *, wait: bool, timeout: float | None = None) -> int:
    """Submit, print the video's id or with `wait` its terminal event; give the exit status."""
    with service() as reelbus:
        if output is not Output.QUIET:
            _warn_of_deaf_bus(reelbus, submission.provider)
        video = _submit(reelbus, submission)
        if not wait:
            _print(video["id"])
            return 0
        progress = Progress(partial(_usual_seconds, reelbus), output, sys.stderr, partial(_next_check, reelbus))
        wait_for_end(lambda: _patiently(lambda: reelbus.get(video["id"])), video, progress, timeout=timeout)
        events = _patiently(lambda: reelbus.events_of(video["id"]))
    event = next(each for each in events if each["type"] in {"video.ready", "video.failed"})
    _print(printable_json(event))
    return 0 if event["type"] == "video.ready" else VIDEO_FAILED


def print_list(*, status: str | None, provider: str | None, limit: int, as_json: bool) -> int:
    """Print videos, newest first; give the exit status."""
    with service() as reelbus:
        page = reelbus.page(status=status, provider=provider, limit=limit)
    show = printable_json if as_json else _row
    for video in page["items"]:
        _print(show(video))
    return 0


def print_video(video_id: str, *, as_json: bool) -> int:
    """Print a video with its attempts and its timeline; give the exit status."""
    with service() as reelbus:
        video, timeline = reelbus.get(video_id), reelbus.timeline(video_id)
    if as_json:
        _print(printable_json({**video, "timeline": timeline}))
        return 0
    _print(printable_json(video, indent=2))
    _print("\ntimeline")
    for entry in timeline:
        attempt = f"attempt {entry['attempt']}" if entry["attempt"] else ""
        detail = one_line(entry["detail"] or "")
        _print(f"  {entry['at']}  {attempt:<10} {entry['what']:<28} {detail}".rstrip())
    return 0


def redeliver_all(video_ids: list[str]) -> int:
    """Publish terminal events again, naming each video that has none; give the exit status."""
    return for_each(video_ids, lambda reelbus, video_id: reelbus.redeliver(video_id))


def for_each(video_ids: list[str], do: Callable[[Client, str], object], *, print_answer: bool = False) -> int:
    """Do something to each of several videos, print the ids of those to which it was done, and name the others.

    With `print_answer` what `do` gives is printed instead of the id.
    """
    statuses = []
    with service() as reelbus:
        for video_id in video_ids:
            try:
                answer = do(reelbus, video_id)
                _print(str(answer) if print_answer else video_id)
                statuses.append(0)
            except ServiceError as error:
                statuses.append(_status(error))
                sys.stderr.write(cleaned(f"{video_id}: {_problem(error)}") + "\n")
    # One status for all: what went wrong where it was everywhere the same, else that something did.
    return statuses[0] if len(set(statuses)) == 1 else FAILURE


@contextmanager
def service() -> Iterator[Client]:
    """Give a client of the service that the settings name; what goes wrong with it ends the command."""
    settings = settings_or_exit()
    base = settings.url or settings.local_url
    key = _key(settings)
    try:
        with Client(base, api_key=key) as reelbus:
            yield reelbus
    except ServiceError as error:
        stop_with(_problem(error), _status(error))
    except ServiceAway as error:
        stop_with(f"cannot reach {base}: {error}; is `reelbus run` running there? (REELBUS_URL)", UNAVAILABLE)


def authorization(settings: Settings) -> dict[str, str]:
    """Give the header that tells the service who asks, if the settings have a key."""
    key = _key(settings)
    return {"Authorization": f"Bearer {key}"} if key else {}


def _key(settings: Settings) -> str | None:
    key = settings.api_key or next((key.secret for key in settings.api_keys if key.secret), None)
    return key.get_secret_value() if key else None


def _warn_of_deaf_bus(reelbus: Client, provider: str) -> None:
    """Say so where no queue is bound to what this video will end as; where nobody can look, say nothing."""
    try:
        unheard = reelbus.subscriptions(timeout=_SUBSCRIPTIONS_SECONDS)["unheard"]
    except (ServiceAway, ServiceError):
        return
    deaf = [key for key in unheard if provider in {AUTO, key.rpartition(".")[2]}]
    if deaf:
        complain(f"warning: no queue is bound to {', '.join(deaf)}, so only the log will keep this video's end")


def _submit(reelbus: Client, submission: SubmitInput) -> Video:
    try:
        return reelbus.submit(
            submission.image,
            submission.motion,
            provider=submission.provider,
            orientation=submission.orientation,
            prompt=submission.prompt,
            fallback=submission.fallback,
            metadata=submission.metadata or None,
            idempotency_key=submission.idempotency_key,
        )
    except OSError as error:
        stop_with(f"cannot read {submission.image}: {error.strerror}", BAD_USAGE)


def _usual_seconds(reelbus: Client, provider: str) -> float | None:
    """Give the median of how long a provider's newest ready videos took, from acceptance to the end."""
    try:
        videos = reelbus.page(status="ready", provider=provider, limit=_LEARNT_FROM)["items"]
    except (ServiceAway, ServiceError):  # an estimate is not worth an error
        return None
    spans = [
        datetime.fromisoformat(video["completed_at"]) - datetime.fromisoformat(video["created_at"])
        for video in videos
        if video["completed_at"] is not None
    ]
    return median(span.total_seconds() for span in spans) if spans else None


def _next_check(reelbus: Client, video_id: str) -> float | None:
    try:
        at = reelbus.next_check(video_id)
    except (ServiceAway, ServiceError):  # as above
        return None
    return None if at is None else datetime.fromisoformat(at).timestamp()


def _patiently(ask: Callable[[], T]) -> T:
    """Ask again while the service is away for a moment: the video goes on without us."""
    give_up_at = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            return ask()
        except ServiceAway:
            if time.monotonic() > give_up_at:
                raise
        except ServiceError as error:
            if error.status < 500 or time.monotonic() > give_up_at:
                raise
        time.sleep(_LOOK_SECONDS)


def _status(error: ServiceError) -> int:
    """Give the exit status for a refusal."""
    if error.status >= 500:
        return UNAVAILABLE
    return {401: BAD_USAGE, 404: NOT_FOUND}.get(error.status, FAILURE)


def _problem(error: ServiceError) -> str:
    if "code" not in error.problem or "detail" not in error.problem:
        return f"the service answered {error.status}"
    faults = "".join(f"\n  {fault['field']}: {fault['message']}" for fault in error.problem.get("errors") or [])
    return f"{error.code}: {error.detail}{faults}{_mend(error.code)}"


def _mend(code: str) -> str:
    return " (REELBUS_API_KEY)" if code == "unauthorized" else ""


def _row(video: Video) -> str:
    detail = video["error"]["code"] if video["error"] else next(iter(video["output_urls"]), "")
    provider = video["provider"] or "-"
    columns = (video["id"], video["created_at"][:19], f"{video['status']:<10}", f"{provider:<11}")
    return "  ".join((*columns, f"{video['motion']:<12}", detail))


def _print(line: str) -> None:
    sys.stdout.write(cleaned(line) + "\n")
