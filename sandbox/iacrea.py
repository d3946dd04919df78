"""IACrea animation v2 as its pages describe it: JSON, `x-api-key`, and a webhook when a video is done."""

import asyncio
import json
import time
import uuid
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.behaviours import Behaviour
from sandbox.context import Refused, SandboxContext
from sandbox.hostile_urls import HOSTILE, PRIVATE
from sandbox.loopback import Loopback, OutOfReach, Unreachable
from sandbox.pictures import size
from sandbox.records import Submission
from sandbox.settings import Provider
from sandbox.standin import StandIn
from sandbox.webhooks import Call

OPTIONS = frozenset({
    "ZOOM_IN", "ZOOM_OUT", "PAN_RIGHT", "PAN_LEFT", "PAN_UP", "PAN_DOWN",
    "CAMERA_PUSH_OUT", "AUTO_EFFECTS", "AUTO_REVERSE",
})  # fmt: skip
FIELDS = frozenset({"user_id", "image_urls", "option", "prompt", "format", "webhook"})
NOISE = ("STARTING", "PROCESSING", "in_progress", "IN PROGRESS", "PENDING", "IN_PROGRESS")
FETCH_PAUSES = (0.0, 0.2, 0.4)


class Iacrea(StandIn):
    """The stand-in for IACrea."""

    provider: Provider = "iacrea"

    def __init__(self, context: SandboxContext, loopback: Loopback) -> None:
        super().__init__(context)
        self._loopback = loopback

    def authorise(self, request: Request) -> None:
        """Refuse a missing or wrong `x-api-key`. Raises Refused."""
        if "authorization" in request.headers:
            self.records.traffic[self.provider].counts["foreign_credentials"] += 1
        if request.headers.get("x-api-key") != self.settings.iacrea_api_key:
            raise _refused(401, "Missing or invalid API key.")

    async def read(self, request: Request, submission: Submission) -> tuple[str, ...]:
        """Read the documented JSON body. Raises Refused."""
        body = await self._body(request)
        urls, prompt, webhook = body.get("image_urls"), body.get("prompt"), body.get("webhook")
        option = body.get("option")
        if unknown := sorted(body.keys() - FIELDS):
            raise _refused(400, f"Unknown field: {unknown[0]}.")
        if not isinstance(urls, list) or not urls or not all(_is_url(url) for url in urls):
            raise _refused(400, "image_urls must be an array with at least one image URL.")
        if not isinstance(option, str) or option not in OPTIONS:
            raise _refused(400, f"option must be one of {', '.join(sorted(OPTIONS))}.")
        if prompt is not None and not isinstance(prompt, str):
            raise _refused(400, "prompt must be a string.")
        if webhook is not None and not (isinstance(webhook, str) and _is_url(webhook)):
            raise _refused(400, "webhook must be a URL.")
        portrait = body.get("format") == "portrait"
        submission.option, submission.prompt = option, prompt
        submission.image_url, submission.webhook = urls[0], webhook
        submission.format = "portrait" if portrait else str(body.get("format") or "")[:40] or None
        return (prompt or "", urlsplit(urls[0]).query)

    async def identify(self, request: Request) -> str:
        """Read `generation_id` from the body of a status call. Raises Refused."""
        body = await self._body(request)
        if not isinstance(body.get("generation_id"), str):
            raise _refused(400, "generation_id is required.")
        return str(body["generation_id"])

    def name_job(self, _behaviour: Behaviour) -> str:
        """Make a generation_id, never made before."""
        return str(uuid.uuid4())

    def acceptance(self, submission: Submission, _behaviour: Behaviour) -> object:
        """Give the three documented fields."""
        project = uuid.uuid5(uuid.NAMESPACE_URL, submission.marker)
        return {
            "generation_id": submission.job_id,
            "remaining_videos": self.credits,
            "project_id": str(project),
        }

    def status(self, submission: Submission, behaviour: Behaviour, now: float) -> object:
        """Give the state, and the addresses once there are any."""
        if self.has_ended(submission, now):
            return self._ended(submission, behaviour, told=submission.told_end_at is not None)
        if behaviour.form == "noise":
            return {"status": NOISE[submission.checks % len(NOISE)]}
        whole = (submission.ends_at or submission.arrived_at + 60) - submission.arrived_at
        word = "STARTING" if now - submission.arrived_at < whole / 4 else "IN_PROGRESS"
        return {"status": word.lower() if behaviour.form == "lower-case" else word}

    def unknown_job(self, _submission: Submission | None) -> Response:
        """Answer 404."""
        return JSONResponse({"error": "Generation not found."}, 404)

    def out_of_credits(self) -> Response:
        """Answer 402."""
        return JSONResponse({"error": "Not enough video credits."}, 402)

    async def balance(self, request: Request) -> Response:
        """Tell the documented three numbers. Raises Refused."""
        await self._body(request)
        return JSONResponse({"total": self.credits, "subscription": self.credits, "extra": 0})

    def settle(self, submission: Submission) -> None:
        """Give the credit of a failed video back, once."""
        if submission.ends == "failed" and submission.charged and not submission.refunded:
            submission.refunded = True
            self.credits += 1

    async def begin(self, submission: Submission, behaviour: Behaviour) -> None:
        """Fetch the picture and arrange the webhooks."""
        if self.settings.fetch_pictures:
            self.webhooks.soon(self._fetch(submission))
        if behaviour.call_at == "before the answer":
            await self._call(submission, behaviour)
            return
        if submission.ends_at is None:
            return
        wait = submission.ends_at - time.time()
        if behaviour.call_at == "halfway":
            wait /= 2
        if behaviour.call_at == "late":
            wait += self.settings.late_seconds if submission.seconds is None else submission.seconds
        if (submission.webhook and behaviour.calls) or behaviour.ends == "failed":
            self._arrange(submission, behaviour, wait)

    def _arrange(self, submission: Submission, behaviour: Behaviour, wait: float) -> None:
        def due() -> None:
            if self.records.holds(submission):
                self.has_ended(submission, time.time())
                self.webhooks.soon(self._call(submission, behaviour))

        asyncio.get_running_loop().call_later(max(0.0, wait), due)

    async def _call(self, submission: Submission, behaviour: Behaviour) -> None:
        if submission.ends == "failed" and not self.settings.webhook_on_failed:
            return
        call = self._webhook(submission, behaviour)
        if behaviour.calls == 2:
            await self.webhooks.send(submission, call)
            await self.webhooks.send(submission, call)
        else:
            await asyncio.gather(*(self.webhooks.send(submission, call) for _ in range(behaviour.calls)))

    def _webhook(self, submission: Submission, behaviour: Behaviour) -> Call:
        """Give the retrieval answer as a webhook's body, or what the behaviour makes of it."""
        told = self._ended(submission, behaviour, told=behaviour.form == "empty-once")
        match behaviour.call_body:
            case "empty":
                return Call(b"", "application/json")
            case "form":
                return Call(urlencode(told, doseq=True).encode(), "application/x-www-form-urlencoded")
            case "named":
                told["generation_id"] = submission.job_id
            case "misnamed":
                told["generation_id"] = str(uuid.uuid5(uuid.NAMESPACE_URL, submission.marker))
            case "huge":
                told["padding"] = "x" * (1024 * 1024)
        return Call(json.dumps(told).encode(), "application/json")

    def _ended(self, submission: Submission, behaviour: Behaviour, *, told: bool) -> dict[str, object]:
        url = self.output_url(submission)
        if submission.ends == "failed" or (behaviour.form == "flapping" and not told):
            word = "failed" if behaviour.form == "lower-case" else "FAILED"
            reason = {"error": "The image could not be animated."} if behaviour.form == "reason" else {}
            return {"status": word, **reason}
        dressed: dict[str, dict[str, object]] = {
            "lower-case": {"status": "succeeded", "urls": [url]},
            "singular": {"status": "SUCCEEDED", "url": url},
            "empty-always": {"status": "SUCCEEDED", "urls": []},
            "empty-once": {"status": "SUCCEEDED", "urls": [url] if told else []},
            "hostile": {"status": "SUCCEEDED", "urls": HOSTILE},
            "hostile-mixed": {"status": "SUCCEEDED", "urls": [*HOSTILE, url]},
            "private": {"status": "SUCCEEDED", "urls": [PRIVATE]},
        }
        return dressed.get(behaviour.form, {"status": "SUCCEEDED", "urls": [url]})

    async def _fetch(self, submission: Submission) -> None:
        """Fetch the picture; a video whose picture cannot be had ends FAILED."""
        reason = "not reachable"
        for pause in FETCH_PAUSES:
            await asyncio.sleep(pause)
            try:
                reply = await self._loopback.fetch(
                    submission.image_url or "", limit=self.settings.max_picture_bytes, timeout=5.0
                )
            except OutOfReach:
                return
            except Unreachable as error:
                reason = str(error)
            else:
                if reply.status == 200 and size(reply.body):
                    self.keep_picture(submission, reply.body)
                    return
                reason = f"answered {reply.status}" if reply.status != 200 else "no PNG or JPEG"
        submission.refusal = f"picture: {reason}"
        if submission.ends_at is None or time.time() < submission.ends_at:
            submission.ends = "failed"

    async def _body(self, request: Request) -> dict[str, object]:
        """Read a JSON object with the right user_id. Raises Refused."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise _refused(400, "Content-Type must be application/json.")
        body: object = None
        with suppress(ValueError, RecursionError):
            body = json.loads(await request.body())
        if not isinstance(body, dict):
            raise _refused(400, "The body must be a JSON object.")
        user_id = body.get("user_id")
        if not isinstance(user_id, str) or not _is_uuid(user_id):
            raise _refused(400, "user_id must be a UUID.")
        if user_id != self.settings.iacrea_user_id:
            raise _refused(401, "user_id does not belong to this API key.")
        return body


def _refused(status: int, text: str) -> Refused:
    return Refused(JSONResponse({"error": text}, status), text)


def _is_url(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
