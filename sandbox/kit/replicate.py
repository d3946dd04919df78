"""Replicate's predictions as its pages describe them."""

import secrets
import string
from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.kit.signing import standard_headers
from sandbox.kit.standin import Job, KitStandIn

SECRET = "whsec_cmVlbGJ1cyBtYWRlLXVwIHJlcGxpY2F0ZSBzZWNyZXQ="  # noqa: S105  (a made-up one, worth nothing)
OTHER_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  (from its own client's tests)
PAGE = 2
_FIELDS = frozenset({"input", "webhook", "webhook_events_filter", "version", "stream"})
_ABSENT = {"detail": "Prediction not found", "status": 404}
_ALPHABET = string.ascii_lowercase + string.digits
_REFUSED = {
    "unauthorised": (401, {"title": "Unauthenticated", "detail": "You did not pass a valid authentication token"}),
    "no-money": (402, {"title": "Insufficient credit", "detail": "You have insufficient credit to run this model."}),
    "bad-request": (422, {"title": "Input validation failed", "detail": "- input.duration: must be one of 5, 10\n"}),
    "no-payment-method": (422, {"title": "Invalid version or not permitted", "detail": "not permitted"}),
    "limit": (429, {"detail": "Request was throttled. Your rate limit resets in ~30s."}),
}


class StandIn(KitStandIn):
    """The stand-in for Replicate."""

    provider = "replicate"
    calls_back_at = frozenset({"start", "end"})
    credentials: Mapping[str, str] = {"token": "r8_sandbox_token"}
    failures: Mapping[str, str] = {"failed": "unknown", "aborted": "not_charged", "canceled": "unknown"}
    refusals: Mapping[str, str] = {
        "no-money": "out_of_credits",
        "bad-request": "request_rejected",
        "no-payment-method": "request_rejected",
        "limit": "",
    }

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route("/v1/models/{owner}/{name}/predictions", self.submit, methods=["POST"]),
            Route("/v1/predictions", self.admitted(self.listing), methods=["GET"]),
            Route("/v1/predictions/{id}", self.about_a_job(self.shown, _ABSENT), methods=["GET"]),
            Route("/v1/predictions/{id}/cancel", self.about_a_job(self.cancel, _ABSENT), methods=["POST"]),
            Route("/v1/account", self.admitted(self.account), methods=["GET"]),
            Route("/v1/webhooks/default/secret", self.admitted(self.secret), methods=["GET"]),
        ]

    def refusal(self, story: str) -> Response:
        """Answer with a problem document."""
        status, body = _REFUSED[story]
        return JSONResponse(body | {"status": status}, status, media_type="application/problem+json")

    def fault_in(self, wish: Mapping[str, object], request: Request) -> Response | None:
        """Refuse unknown top-level keys, and an input without a picture's address."""
        given = wish.get("input")
        image = str(given.get("image", "")) if isinstance(given, dict) else ""
        minutes = request.headers.get("cancel-after", "")
        good = wish.keys() <= _FIELDS and image.startswith("http") and minutes.endswith("m") and minutes[:-1].isdigit()
        return None if good else self.refusal("bad-request")

    def named(self, wish: Mapping[str, object], request: Request) -> tuple[str | None, str | None]:
        """Take the webhook from the body; there is no name of ours."""
        del request
        webhook = wish.get("webhook")
        return webhook if isinstance(webhook, str) else None, None

    def new_id(self) -> str:
        """Make an id of 26 small letters and digits."""
        return "".join(secrets.choice(_ALPHABET) for _ in range(26))

    def accepted(self, job: Job) -> Response:
        """Give the prediction under `starting`."""
        return JSONResponse(self._prediction(job, "starting"), 201)

    def listing(self, request: Request) -> Response:
        """Give a page of the newest first; `next` is an address."""
        after = datetime.fromisoformat(request.query_params["created_after"]).timestamp()
        start = int(request.query_params.get("cursor", "0"))
        newest = [job for job in reversed(self.jobs.values()) if job.created_at >= after]
        more = len(newest) > start + PAGE
        query = f"created_after={request.query_params['created_after']}&cursor={start + PAGE}"
        results = [self.report(job) for job in newest[start : start + PAGE]]
        following = f"{self.base_url}/v1/predictions?{query}" if more else None
        return JSONResponse({"next": following, "previous": None, "results": results})

    def cancel(self, job: Job) -> Response:
        """End a prediction, and show it."""
        job.story = {"queued": "aborted", "running": "canceled"}.get(job.story, job.story)
        return self.shown(job)

    def account(self, request: Request) -> Response:
        """Show the account."""
        del request
        return JSONResponse({"type": "organization", "username": "sandbox", "name": "Sandbox"})

    def secret(self, request: Request) -> Response:
        """Give the webhooks' secret."""
        del request
        return JSONResponse({"key": SECRET})

    def report(self, job: Job) -> dict[str, object]:
        """Give the prediction, which is a webhook's body too."""
        words = {"queued": "starting", "running": "processing", "new-word": "reviewing"}
        if job.story in words:
            return self._prediction(job, words[job.story])
        if job.story in self.failures:
            error = "The input was flagged as sensitive. (E005)" if job.story == "failed" else None
            return self._prediction(job, job.story) | {"error": error}
        removed = {"data_removed": True} if job.story == "no-output" else {}
        return self._prediction(job, "succeeded") | {"output": self.output(job)} | removed

    def signed(self, body: bytes, *, at: float, flaw: str) -> dict[str, str]:
        """Sign with the account's secret."""
        return standard_headers(OTHER_SECRET if flaw == "foreign" else SECRET, body, at=at, flaw=flaw)

    def _prediction(self, job: Job, word: str) -> dict[str, object]:
        created = datetime.fromtimestamp(job.created_at, UTC).isoformat()
        here = f"{self.base_url}/v1/predictions/{job.id}"
        about = {"model": "wan-video/wan-2.2-i2v-fast", "version": "hidden", "input": job.wish.get("input")}
        state = {"output": None, "data_removed": False, "error": None, "status": word, "source": "api"}
        urls = {"get": here, "cancel": f"{here}/cancel"}
        return {"id": job.id, **about, "logs": "", **state, "created_at": created, "urls": urls, "webhook": job.webhook}
