"""The client of the HTTP API."""

import json
import mimetypes
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, cast

import httpx

from reelbus.client.documents import BatchResult, Cancellation, Event, Page, Video
from reelbus.client.errors import ServiceAway, ServiceError
from reelbus.client.events import from_stream

Picture = str | Path | bytes
"""The address of a picture (`https://…`), the path of a file, or a picture's bytes."""

_TIMEOUT_SECONDS = 60.0
_WAIT_SECONDS = 30
_AGAIN_SECONDS = 1.0
_PAGE = 200


class Client:
    """A connection to one service. Every method raises `ServiceError` and `ServiceAway`."""

    def __init__(self, url: str, *, api_key: str | None = None, timeout: float = _TIMEOUT_SECONDS) -> None:
        """Name the service and the key; `timeout` is in seconds, for one request."""
        import httpx

        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout = timeout
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout, trust_env=False)

    def __enter__(self) -> Self:
        """Give the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def submit(
        self, image: Picture, motion: str, *, idempotency_key: str | None = None, traceparent: str | None = None,
        **fields: object,
    ) -> Video:  # fmt: skip
        """Ask for a video. `fields` are those of `POST /v1/videos`: `prompt`, `provider` …; None is left out.

        With an idempotency key the same request again gives the same video. Raises OSError for a file that cannot be
        read.
        """
        given = {"motion": motion, **{name: value for name, value in fields.items() if value is not None}}
        named = {"idempotency-key": idempotency_key, "traceparent": traceparent}
        headers = {name: value for name, value in named.items() if value is not None}
        if isinstance(image, str) and image.startswith(("http://", "https://")):
            return cast("Video", self._ask("POST", "/v1/videos", json={**given, "image_url": image}, headers=headers))
        form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
        files = {"image": _file(image)}
        return cast("Video", self._ask("POST", "/v1/videos", data=form, files=files, headers=headers))

    def submit_batch(
        self, requests: Sequence[Mapping[str, object]], *, idempotency_key: str | None = None
    ) -> list[BatchResult]:
        """Ask for up to 100 videos by JSON requests; give what became of each, in their order."""
        headers = {"idempotency-key": idempotency_key} if idempotency_key else {}
        answer = self._ask("POST", "/v1/videos/batch", json={"requests": list(requests)}, headers=headers)
        return cast("list[BatchResult]", answer["items"])

    def get(self, video_id: str) -> Video:
        """Look at a video."""
        return cast("Video", self._ask("GET", _path(video_id)))

    def wait(self, video_id: str, *, timeout: float = 3600.0) -> Video:
        """Wait until a video is ready or failed. Raises TimeoutError after so many seconds."""
        give_up_at = time.monotonic() + timeout
        while True:
            seconds = max(1, min(_WAIT_SECONDS, int(give_up_at - time.monotonic())))
            began = time.monotonic()
            video = self._ask(
                "GET", _path(video_id), headers={"prefer": f"wait={seconds}"}, timeout=self._timeout + seconds
            )
            if video["status"] in {"ready", "failed"}:
                return cast("Video", video)
            if time.monotonic() >= give_up_at:
                raise TimeoutError(f"{video_id} is still {video['status']} after {timeout:g} s")
            # A service that has no room for one more who waits answers at once.
            time.sleep(max(0.0, _AGAIN_SECONDS - (time.monotonic() - began)))

    def page(self, *, metadata: Mapping[str, str] | None = None, limit: int = 50, **filters: str | None) -> Page:
        """List videos, newest first. `filters` are `status`, `provider`, `since`, `until` and `cursor`."""
        query = {name: value for name, value in filters.items() if value is not None}
        query |= {f"metadata.{name}": value for name, value in (metadata or {}).items()}
        return cast("Page", self._ask("GET", "/v1/videos", params={**query, "limit": str(limit)}))

    def videos(self, *, metadata: Mapping[str, str] | None = None, **filters: str | None) -> Iterator[Video]:
        """List all videos that match, newest first, page by page."""
        cursor: str | None = None
        while True:
            page = self.page(metadata=metadata, limit=_PAGE, **{**filters, "cursor": cursor})
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def timeline(self, video_id: str) -> list[dict[str, Any]]:
        """Read all that happened to a video, oldest first."""
        return list(self._ask("GET", _path(video_id, "/timeline"))["items"])

    def next_check(self, video_id: str) -> str | None:
        """Say when a video's provider is asked next (RFC 3339); None where it is not in the making."""
        found: str | None = self._ask("GET", _path(video_id, "/timeline"))["next_check_at"]
        return found

    def events_of(self, video_id: str) -> list[Event]:
        """Read a video's events, oldest first."""
        return list(self._ask("GET", _path(video_id, "/events"))["items"])

    def redeliver(self, video_id: str) -> str:
        """Publish a video's terminal event again; give its id, which stays the same."""
        return str(self._ask("POST", _path(video_id, "/redeliver"))["event_id"])

    def retry(self, video_id: str, *, accept_risk: bool = False) -> Video:
        """Make a failed video again, as a new one; one that may have been paid for only with `accept_risk`."""
        return cast("Video", self._ask("POST", _path(video_id, "/retry"), json={"accept_risk": accept_risk}))

    def cancel(self, video_id: str) -> Cancellation:
        """Stop a video as far as that can be done; `ServiceError` where its provider cannot be asked to."""
        return cast("Cancellation", self._ask("POST", _path(video_id, "/cancel")))

    def providers(self) -> list[dict[str, Any]]:
        """Read how each provider is doing."""
        return list(self._ask("GET", "/v1/providers")["items"])

    def drift(self) -> list[dict[str, Any]]:
        """Read the shapes of providers' answers that their pages do not document."""
        return list(self._ask("GET", "/v1/drift")["items"])

    def pause(self, provider: str) -> dict[str, Any]:
        """Give a provider no new work until it is resumed. Needs the scope `operate`."""
        return dict(self._ask("POST", f"/v1/providers/{_name(provider)}/pause"))

    def resume(self, provider: str) -> dict[str, Any]:
        """Give a provider work again. Needs the scope `operate`."""
        return dict(self._ask("POST", f"/v1/providers/{_name(provider)}/resume"))

    def status(self) -> dict[str, Any]:
        """Give what an operator wants to see at one glance: store, broker, outbox, commands, providers."""
        found: dict[str, Any] = self._ask("GET", "/v1/status")
        return found

    def subscriptions(self, *, timeout: float | None = None) -> dict[str, Any]:
        """Give who takes events from RabbitMQ, as far as its management API can be asked."""
        found: dict[str, Any] = self._ask("GET", "/v1/subscriptions", timeout=timeout or self._timeout)
        return found

    def erase(self, video_id: str) -> None:
        """Erase a finished video with everything of it. Needs the scope `operate`."""
        self._ask("DELETE", _path(video_id))

    def events(self, *, after: str | None = None) -> Iterator[Event]:
        """Give events as they are decided, from now on or after the id of one; goes on after a lost connection.

        What was missed meanwhile is given then, at least once: drop the ids that you have handled.
        """
        while True:
            headers = {"last-event-id": after} if after else {}
            try:
                for event in self._listen(headers):
                    after = event["id"]
                    yield event
            except ServiceAway:
                time.sleep(_AGAIN_SECONDS)

    def _listen(self, headers: dict[str, str]) -> Iterator[Event]:
        with _reaching(), self._http.stream("GET", "/v1/events", headers=headers) as answer:
            if not answer.is_success:
                answer.read()
                raise _refusal(answer)
            yield from from_stream(answer.iter_lines())

    def _ask(self, method: str, path: str, **request: Any) -> Any:  # noqa: ANN401 - a JSON document
        with _reaching():
            answer = self._http.request(method, path, **request)
        if not answer.is_success:
            raise _refusal(answer)
        return answer.json() if answer.content else None


@contextmanager
def _reaching() -> Iterator[None]:
    import httpx

    try:
        yield
    except httpx.TransportError as error:
        raise ServiceAway(str(error) or type(error).__name__) from error


def _refusal(answer: httpx.Response) -> ServiceError:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    return ServiceError(answer.status_code, problem if isinstance(problem, dict) else {})


def _file(image: Picture) -> tuple[str, bytes, str]:
    if isinstance(image, bytes):
        return "image", image, "application/octet-stream"
    path = Path(image)
    return path.name, path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _path(video_id: str, rest: str = "") -> str:
    """Keep what a user typed from changing the address."""
    kept = "".join(letter for letter in video_id if letter.isalnum() or letter == "-")
    return f"/v1/videos/{kept or 'none'}{rest}"


def _name(provider: str) -> str:
    """Do the same for a provider's name."""
    return "".join(letter for letter in provider if letter.isalnum() or letter in "-_") or "none"
