"""HomeDesigns.ai API v2 as its pages describe it: multipart, a bearer token, and polling."""

import base64
import binascii
import secrets
import string
import uuid
from datetime import UTC, datetime

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.behaviours import Behaviour
from sandbox.context import Refused
from sandbox.hostile_urls import HOSTILE, PRIVATE
from sandbox.pictures import size, tail
from sandbox.records import Submission
from sandbox.settings import Provider
from sandbox.standin import StandIn

TOOLS = frozenset({
    "pan_up", "pan_down", "pan_left_right", "zoom_in", "zoom_out", "camera_pullback",
    "rotate_cw", "rotate_ccw", "combining_motions", "look_up", "look_down",
})  # fmt: skip
SMALLEST = 512
NO_IMAGE = "Image field required"
SMALL_IMAGE = "Invalid image size. The image width and height must be 512x512 or greater than 512x512 pixels."
WRONG_IMAGE = "Invalid image format. Only PNG, JPEG and JPG images are allowed."
NO_TOOL = "tool_name field required"
WRONG_TOOL = "tool_name value is not a valid enumeration member; permitted: 'pan_up'"
WRONG_ID = "Please Enter a Valid Queue ID"
ALPHABET = string.ascii_lowercase + string.digits

_FAILED: dict[str, dict[str, object]] = {
    "runpod": {"status": "FAILED", "error": "CUDA error: out of memory"},
    "replicate": {"status": "failed", "error": "Prediction interrupted; please retry", "logs": ""},
    "error": {"error": "Video could not be generated"},
    "cancelled": {"status": "CANCELLED"},
    "aborted": {"status": "aborted"},
    "timed-out": {"status": "TIMED_OUT"},
}


class HomeDesigns(StandIn):
    """The stand-in for HomeDesigns."""

    provider: Provider = "homedesigns"

    def authorise(self, request: Request) -> None:
        """Refuse a missing or wrong bearer token. Raises Refused."""
        if "x-api-key" in request.headers:
            self.records.traffic[self.provider].counts["foreign_credentials"] += 1
        if request.headers.get("authorization") != f"Bearer {self.settings.homedesigns_token}":
            raise Refused(JSONResponse({"message": "Unauthenticated."}, 401), "Unauthenticated.")

    async def read(self, request: Request, submission: Submission) -> tuple[str, ...]:
        """Read the documented form; every fault in it is told at once. Raises Refused."""
        form = await self._form(request)
        faults: dict[str, list[str]] = {}
        if fault := _tool_fault(form):
            faults["tool_name"] = [fault]
        if unknown := sorted(form.keys() - {"image", "tool_name"}):
            faults[unknown[0]] = [f"{unknown[0]} is not a documented field"]
        picture = await _picture(form, submission)
        await form.close()
        if fault := _picture_fault(picture):
            faults["image"] = [fault]
        if faults:
            raise _refused(faults)
        submission.option = str(form["tool_name"])
        self.keep_picture(submission, picture)
        return (submission.file_name or "", tail(picture))

    async def identify(self, request: Request) -> str:
        """Take the id from the path."""
        return str(request.path_params["id"])

    def name_job(self, behaviour: Behaviour) -> str:
        """Make an id, never made before, in one of the forms that the pages show."""
        if behaviour.ids == "26":
            return "".join(secrets.choice(ALPHABET) for _ in range(26))
        pieces = uuid.uuid4()
        if behaviour.ids == "example":
            a, b, c, d, e = str(pieces).split("-")
            return f"ag{a}f0-{b}-4bae-vbg{c}e8-{d}{e}-ugf1"
        return f"{pieces}-u1"

    def acceptance(self, submission: Submission, behaviour: Behaviour) -> object:
        """Give the id and IN_QUEUE, or the finished video where the behaviour is synchronous."""
        if behaviour.name == "synchronous":
            return self._finished(submission)
        key = "queue_id" if behaviour.ids == "queue_id" else "id"
        return {key: submission.job_id, "status": "IN_QUEUE"}

    def status(self, submission: Submission, behaviour: Behaviour, now: float) -> object:
        """Give a running video's status word, or a finished one's addresses without any."""
        if self.has_ended(submission, now):
            return self._ended(submission, behaviour)
        age = now - submission.arrived_at
        whole = (submission.ends_at or submission.arrived_at + 60) - submission.arrived_at
        created = _stamp(submission.arrived_at + 0.02, digits=3)
        if behaviour.form == "unknown-word":
            return {"id": submission.job_id, "created_at": created, "status": "upscaling"}
        if age < whole / 8:
            return {"id": submission.job_id, "status": "IN_QUEUE"}
        if age < whole / 4:
            return {"created_at": created, "status": "starting"}
        started = _stamp(submission.arrived_at + whole / 4, digits=9)
        return {"created_at": created, "started_at": started, "status": "processing"}

    def unknown_job(self, submission: Submission | None) -> Response:
        """Answer with the documented text; its code and wrapper are not documented, so both are used."""
        if submission is None:
            return JSONResponse({"error": WRONG_ID}, 404)
        return JSONResponse({"success": False, "message": WRONG_ID})

    def out_of_credits(self) -> Response:
        """Answer 402."""
        return JSONResponse({"success": False, "message": "You do not have enough credits."}, 402)

    async def begin(self, submission: Submission, behaviour: Behaviour) -> None:
        """Do nothing beside: this provider calls nobody back."""
        if behaviour.name == "synchronous":
            submission.told_end_at = submission.ends_at

    async def balance(self, _request: Request) -> Response:
        """Tell the account in the documented two-part form."""
        used = self.settings.credits - self.credits
        subscription = {
            "Plan Name": "Sandbox",
            "Total Credit": self.settings.credits,
            "Used Credit": used,
            "Left Credit": self.credits,
        }
        customer = {"name": "Sandbox", "Email": "sandbox@example.invalid"}
        return JSONResponse({"success": True, "Data": [{"customer": customer}, {"Subscription": subscription}]})

    def settle(self, _submission: Submission) -> None:
        """Do nothing: this provider promises no refund."""

    def _finished(self, submission: Submission) -> dict[str, object]:
        picture = f"{self.settings.base_url}/pictures/{submission.marker}.png"
        return {"input_image": picture, "output_video": self.output_url(submission)}

    def _ended(self, submission: Submission, behaviour: Behaviour) -> object:
        if submission.ends == "failed":
            named = {"id": submission.job_id} if behaviour.form == "runpod" else {}
            return named | _FAILED[behaviour.form]
        if behaviour.form == "flapping" and submission.told_end_at is None:
            return _FAILED["replicate"]
        finished = self._finished(submission)
        url = finished["output_video"]
        dressed: dict[str, object] = {
            "list": [finished],
            "list-field": finished | {"output_video": [url]},
            "success-tagged": {"status": "SUCCESS"} | finished,
            "wrapped": {"success": True, "data": finished},
            "hostile": finished | {"output_video": HOSTILE},
            "hostile-mixed": finished | {"output_video": [*HOSTILE, url]},
            "private": finished | {"output_video": PRIVATE},
        }
        return dressed.get(behaviour.form, finished)

    async def _form(self, request: Request) -> FormData:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "multipart/form-data":
            raise _refused({"image": [NO_IMAGE], "tool_name": [NO_TOOL]})
        length = request.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self.settings.max_picture_bytes:
            raise Refused(JSONResponse({"error": "Payload too large"}, 413), "payload too large")
        try:
            return await request.form(max_part_size=self.settings.max_picture_bytes)
        except HTTPException as error:
            raise Refused(JSONResponse({"error": error.detail}, 400), "broken form") from error


async def _picture(form: FormData, submission: Submission) -> bytes:
    """Read the picture from a file part, or from text in base64 with or without a `data:` prefix."""
    image = form.get("image")
    if isinstance(image, UploadFile):
        submission.file_name = (image.filename or "")[:200]
        return await image.read()
    try:
        return base64.b64decode((image or "").rpartition("base64,")[2], validate=True)
    except (ValueError, binascii.Error):
        return b"no picture"


def _picture_fault(picture: bytes) -> str | None:
    if not picture:
        return NO_IMAGE
    found = size(picture)
    if found is None:
        return WRONG_IMAGE
    return SMALL_IMAGE if min(found.width, found.height) < SMALLEST else None


def _tool_fault(form: FormData) -> str | None:
    tool = form.get("tool_name")
    if not tool:
        return NO_TOOL
    return None if tool in TOOLS else WRONG_TOOL


def _refused(faults: dict[str, list[str]]) -> Refused:
    """Refuse in the form that was seen in the field: 422 and a list for each field."""
    return Refused(JSONResponse({"error": faults}, 422), "; ".join(text for texts in faults.values() for text in texts))


def _stamp(at: float, *, digits: int) -> str:
    """Write a time as the provider does: milliseconds or nanoseconds, and a Z."""
    whole = datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{int(at % 1 * 10**9):09d}"[:digits]
    return f"{whole}.{fraction}Z"
