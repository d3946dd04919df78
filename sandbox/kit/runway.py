"""Runway's tasks as its pages describe them: a version header, no webhook, and a deletion that cancels."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.kit.standin import Job, KitStandIn

_ABSENT = {"error": "Not found"}
_FIELDS = frozenset({"model", "promptImage", "promptText", "ratio", "duration", "seed"})
_FAILURES = {
    "moderated-input": ("SAFETY.INPUT.IMAGE", "Input did not pass moderation"),
    "moderated-before": ("INPUT_PREPROCESSING.SAFETY.TEXT", "Input did not pass moderation"),
    "bad-output": ("INTERNAL.BAD_OUTPUT.CODE01", "Output quality was too low"),
    "asset": ("ASSET.INVALID", "The asset could not be read"),
    "silent": (None, "An error occurred"),
}


class StandIn(KitStandIn):
    """The stand-in for Runway."""

    provider = "runway"
    credentials: Mapping[str, str] = {"secret": "key_sandbox"}
    failures: Mapping[str, str] = {
        "moderated-input": "charged",
        "moderated-before": "charged",
        "bad-output": "unknown",
        "asset": "unknown",
        "silent": "unknown",
    }
    refusals: Mapping[str, str] = {"bad-request": "request_rejected", "limit": ""}

    def __init__(self) -> None:
        super().__init__()
        self._renewed = 0

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route("/v1/image_to_video", self.submit, methods=["POST"]),
            Route("/v1/tasks/{id}", self.about_a_job(self.shown, _ABSENT), methods=["GET"]),
            Route("/v1/tasks/{id}", self.about_a_job(self.delete, _ABSENT), methods=["DELETE"]),
            Route("/v1/organization", self.admitted(self.organization), methods=["GET"]),
        ]

    def refusal(self, story: str) -> Response:
        """Answer with an error's text."""
        status = {"unauthorised": 401, "limit": 429}.get(story, 400)
        return JSONResponse({"error": {401: "Unauthorized", 429: "Daily limit reached"}.get(status, "Invalid")}, status)

    def fault_in(self, wish: Mapping[str, object], request: Request) -> Response | None:
        """Refuse unknown keys, an empty text, and a request without the version."""
        text = wish.get("promptText", "words")
        good = wish.keys() <= _FIELDS and str(wish.get("promptImage", "")).startswith("http") and bool(text)
        versioned = request.headers.get("x-runway-version") == "2024-11-06"
        return None if good and versioned else self.refusal("bad-request")

    def accepted(self, job: Job) -> Response:
        """Give the id and nothing else."""
        return JSONResponse({"id": job.id})

    def delete(self, job: Job) -> Response:
        """Delete a task, and its video with it."""
        job.deleted = True
        return Response(status_code=204)

    def organization(self, request: Request) -> Response:
        """Tell the credits."""
        del request
        return JSONResponse({"creditBalance": 1000, "tier": {"models": {}}, "usage": {"models": {}}})

    def report(self, job: Job) -> dict[str, object]:
        """Give the task; a finished one has a fresh address each time."""
        task: dict[str, object] = {"id": job.id, "createdAt": "2026-11-20T10:00:00.000Z"}
        words = {"queued": "THROTTLED", "running": "RUNNING", "new-word": "REVIEWING"}
        if job.story in words:
            return task | {"status": words[job.story]} | ({"progress": 0.42} if job.story == "running" else {})
        if job.story in _FAILURES:
            code, text = _FAILURES[job.story]
            return task | {"status": "FAILED", "failure": text} | ({"failureCode": code} if code else {})
        self._renewed += 1
        address = self.output(job)
        return task | {"status": "SUCCEEDED", "output": [f"{address}?_jwt={self._renewed}"] if address else []}
