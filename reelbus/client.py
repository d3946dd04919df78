"""Talk to a running service over its HTTP API, for the commands of a shell."""

import json
import mimetypes
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from process.settings import Settings
from reelbus.errors import (
    BAD_USAGE,
    FAILURE,
    NOT_FOUND,
    UNAVAILABLE,
    VIDEO_FAILED,
    settings_or_exit,
    stop_with,
)
from reelbus.terminal import cleaned, one_line, printable_json

_TIMEOUT_SECONDS = 60.0
_LOOK_SECONDS = 0.3
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Submission:
    """What `reelbus submit` was told."""

    image: str
    motion: str
    provider: str
    prompt: str | None
    orientation: str
    fallback: bool | None
    metadata: dict[str, str]
    idempotency_key: str | None


def submit_and_report(submission: Submission, *, wait: bool) -> int:
    """Submit, print the video's id or with `wait` its terminal event; give the exit status."""
    with _service() as http:
        video = _submit(http, submission)
        if not wait:
            _print(video["id"])
            return 0
        event = _wait_for_end(http, video)
    _print(printable_json(event))
    return 0 if event["type"] == "video.ready" else VIDEO_FAILED


def print_list(*, status: str | None, provider: str | None, limit: int, as_json: bool) -> int:
    """Print videos, newest first; give the exit status."""
    filters = {"status": status, "provider": provider, "limit": str(limit)}
    with _service() as http:
        page = _json(http.get("/v1/videos", params={name: value for name, value in filters.items() if value}))
    show = printable_json if as_json else _row
    for video in page["items"]:
        _print(show(video))
    return 0


def print_video(video_id: str, *, as_json: bool) -> int:
    """Print a video with its attempts and its timeline; give the exit status."""
    with _service() as http:
        video = _json(http.get(f"/v1/videos/{_id(video_id)}"))
        timeline = _json(http.get(f"/v1/videos/{_id(video_id)}/timeline"))["items"]
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
    """Have terminal events published again, naming each video that has none; give the exit status."""
    statuses = []
    with _service() as http:
        for video_id in video_ids:
            answer = http.post(f"/v1/videos/{_id(video_id)}/redeliver")
            statuses.append(0 if answer.is_success else _status(answer))
            if answer.is_success:
                _print(video_id)
            else:
                sys.stderr.write(cleaned(f"{video_id}: {_problem(answer)}") + "\n")
    # One status for all: what went wrong where it was everywhere the same, else that something did.
    return statuses[0] if len(set(statuses)) == 1 else FAILURE


@contextmanager
def _service() -> Iterator[httpx.Client]:
    settings = settings_or_exit()
    base = settings.url or settings.local_url
    try:
        with httpx.Client(
            base_url=base, headers=authorization(settings), timeout=_TIMEOUT_SECONDS, trust_env=False
        ) as http:
            yield http
    except httpx.TransportError as error:
        stop_with(
            f"cannot reach {base}: {str(error) or type(error).__name__}; is `reelbus run` running there? (REELBUS_URL)",
            UNAVAILABLE,
        )


def authorization(settings: Settings) -> dict[str, str]:
    """Give the header that tells the service who asks, if the settings have a key."""
    key = settings.api_key or next((key.secret for key in settings.api_keys if key.secret), None)
    return {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}


def _submit(http: httpx.Client, submission: Submission) -> Any:  # noqa: ANN401 - a JSON document
    fields: dict[str, Any] = {
        "motion": submission.motion,
        "provider": submission.provider,
        "orientation": submission.orientation,
        "prompt": submission.prompt,
        "fallback": submission.fallback,
        "metadata": submission.metadata or None,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    headers = {"Idempotency-Key": submission.idempotency_key} if submission.idempotency_key else {}
    if submission.image.startswith(("http://", "https://")):
        return _json(http.post("/v1/videos", json={**given, "image_url": submission.image}, headers=headers))
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    return _json(http.post("/v1/videos", data=form, files={"image": _file(submission.image)}, headers=headers))


def _file(path: str) -> tuple[str, bytes, str]:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        stop_with(f"cannot read {path}: {error.strerror}", BAD_USAGE)
    return Path(path).name, content, mimetypes.guess_type(path)[0] or "application/octet-stream"


def _wait_for_end(http: httpx.Client, video: Any) -> Any:  # noqa: ANN401 - JSON documents
    shown = ""
    while True:
        line = f"{video['status']}" + (f" at {video['provider']}" if video["provider"] else "")
        if line != shown:
            sys.stderr.write(f"{video['id']}  {line}\n")
            shown = line
        if video["status"] in {"ready", "failed"}:
            return _terminal_event(http, video["id"])
        time.sleep(_LOOK_SECONDS)
        video = _patiently(http, f"/v1/videos/{video['id']}")


def _terminal_event(http: httpx.Client, video_id: str) -> Any:  # noqa: ANN401 - a JSON document
    events = _patiently(http, f"/v1/videos/{video_id}/events")["items"]
    return next(event for event in events if event["type"] in {"video.ready", "video.failed"})


def _patiently(http: httpx.Client, path: str) -> Any:  # noqa: ANN401 - a JSON document
    """Ask again while the service is away for a moment: the video goes on without us."""
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            answer = http.get(path)
            if answer.status_code < 500 or time.monotonic() > give_up_at:
                return _json(answer)
        except httpx.TransportError:
            if time.monotonic() > give_up_at:
                raise
        time.sleep(_LOOK_SECONDS)


def _json(answer: httpx.Response) -> Any:  # noqa: ANN401 - a JSON document
    if not answer.is_success:
        stop_with(_problem(answer), _status(answer))
    return answer.json()


def _status(answer: httpx.Response) -> int:
    """Give the exit status for an answer that is no success."""
    if answer.status_code >= 500:
        return UNAVAILABLE
    return {401: BAD_USAGE, 404: NOT_FOUND}.get(answer.status_code, FAILURE)


def _problem(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        faults = "".join(f"\n  {fault['field']}: {fault['message']}" for fault in problem.get("errors") or [])
        return f"{problem['code']}: {problem['detail']}{faults}{_mend(problem['code'])}"
    except (ValueError, KeyError, TypeError):
        return f"the service answered {answer.status_code}"


def _mend(code: str) -> str:
    return " (REELBUS_API_KEY)" if code == "unauthorized" else ""


def _id(video_id: str) -> str:
    """Keep what a user typed from changing the address."""
    return "".join(letter for letter in video_id if letter.isalnum() or letter == "-") or "none"


def _row(video: Any) -> str:  # noqa: ANN401 - a JSON document
    detail = video["error"]["code"] if video["error"] else next(iter(video["output_urls"]), "")
    provider = video["provider"] or "-"
    columns = (video["id"], video["created_at"][:19], f"{video['status']:<10}", f"{provider:<11}")
    return "  ".join((*columns, f"{video['motion']:<12}", detail))


def _print(line: str) -> None:
    sys.stdout.write(cleaned(line) + "\n")
