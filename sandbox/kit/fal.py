"""fal's queue as its pages describe it: three addresses for each job, and a result that is a request of its own."""

import base64
import hashlib
from collections.abc import Mapping

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.kit.standin import AFTER_ACCEPTING, Job, KitStandIn

USER = "github|4242"
_SEEDS = (b"a made-up key that signs no more", b"a made-up key that signs for all")
_ABSENT = {"detail": "Request not found"}
_LOCKED = "User is locked. Reason: Exhausted balance. Top up your balance at the dashboard."


class StandIn(KitStandIn):
    """The stand-in for fal."""

    provider = "fal"
    scheme = "Key"
    calls_back_at = frozenset({"end"})
    credentials: Mapping[str, str] = {"key": "sandbox-id:sandbox-secret"}
    failures: Mapping[str, str] = {"refused-422": "unknown", "runner-504": "not_charged", "silent-504": "not_charged"}
    refusals: Mapping[str, str] = {"no-money": "out_of_credits", "bad-request": "request_rejected"}

    def routes(self) -> list[Route]:
        """List the routes; the endpoint's id is any path, so it comes last."""
        job = "/{owner}/{app}/requests/{id}"
        return [
            Route("/.well-known/jwks.json", self.keys, methods=["GET"]),
            Route("/v1/models/requests/by-endpoint", self.admitted(self.past), methods=["GET"]),
            Route(f"{job}/status", self.about_a_job(self.status, _ABSENT), methods=["GET"]),
            Route(f"{job}/cancel", self.about_a_job(self.cancel, {"status": "NOT_FOUND"}), methods=["PUT"]),
            Route(job, self.about_a_job(self.result, _ABSENT), methods=["GET"]),
            Route("/{endpoint:path}", self.submit, methods=["POST"]),
        ]

    def settings(self) -> dict[str, str]:
        """Give the addresses of its list and of its keys as well."""
        keys = f"{self.base_url}/.well-known/jwks.json"
        return super().settings() | {"platform_url": self.base_url, "keys_url": keys}

    def refusal(self, story: str) -> Response:
        """Answer 401, 403 for an empty account, or 422."""
        if story == "unauthorised":
            return JSONResponse({"detail": "Authentication is required to access this application."}, 401)
        if story == "no-money":
            return JSONResponse({"detail": _LOCKED}, 403)
        return JSONResponse({"detail": [{"loc": ["body", "prompt"], "msg": "field required", "type": "missing"}]}, 422)

    def fault_in(self, wish: Mapping[str, object], request: Request) -> Response | None:
        """Want a picture's address, a prompt, and a duration that is a text."""
        duration = wish.get("duration", "5")
        if not str(wish.get("image_url", "")).startswith("http") or not isinstance(duration, str):
            return self.refusal("bad-request")
        return None if request.headers.get("x-fal-request-timeout", "").isdigit() else self.refusal("bad-request")

    def named(self, wish: Mapping[str, object], request: Request) -> tuple[str | None, str | None]:
        """Take the webhook from the query; there is no name of ours."""
        del wish
        return request.query_params.get("fal_webhook"), None

    def accepted(self, job: Job) -> Response:
        """Give the id and the three addresses."""
        return JSONResponse(self._head(job, "IN_QUEUE") | {"queue_position": 0})

    def status(self, job: Job) -> Response:
        """Answer 202 while it waits or runs, 200 when it is completed, which failures are too."""
        if job.story in ("queued", "running"):
            word = "IN_QUEUE" if job.story == "queued" else "IN_PROGRESS"
            return JSONResponse(self._head(job, word), 202)
        if job.story == "new-word":
            return JSONResponse(self._head(job, "WARMING_UP"), 202)
        error = {"error": "Request timed out", "error_type": "request_timeout"} if job.story == "silent-504" else {}
        return JSONResponse(self._head(job, "COMPLETED") | {"logs": None, "metrics": {"inference_time": 4.2}} | error)

    def result(self, job: Job) -> Response:
        """Give the output, or the failure's own status and body."""
        if job.story in ("queued", "running", "new-word"):
            return JSONResponse({"detail": "Request is still in progress"}, 400)
        body, status = self._outcome(job)
        return JSONResponse(body, status)

    def cancel(self, job: Job) -> Response:
        """Answer in one of four ways."""
        if job.story == "queued":
            job.story = "refused-422"
            return JSONResponse({"status": "OK"})
        if job.story == "running":
            return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)
        return JSONResponse({"status": "ALREADY_COMPLETED"}, 400)

    def past(self, request: Request) -> Response:
        """List past requests."""
        del request
        return JSONResponse({"items": [], "has_more": False})

    async def keys(self, request: Request) -> Response:
        """Give the public keys of two pairs, of which the second signs."""
        self.asked.append((request.method, request.url.path))
        return JSONResponse({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": _public(_pair(seed))} for seed in _SEEDS]})

    def report(self, job: Job) -> dict[str, object]:
        """Give the webhook's body: OK and the output, or ERROR and the failure's."""
        body, status = self._outcome(job)
        ok = status == 200
        return {
            "request_id": job.id,
            "gateway_request_id": f"gateway-{job.id}",
            "status": "OK" if ok else "ERROR",
            "error": None if ok else f"Invalid status code: {status}",
            "payload": body,
        }

    def signed(self, body: bytes, *, at: float, flaw: str) -> dict[str, str]:
        """Sign request id, user, time and the body's digest, a line each."""
        user = "github|another" if flaw == "foreign" else USER
        stamp, request_id = str(int(at)), "delivery-1"
        text = "\n".join((request_id, user, stamp, hashlib.sha256(body).hexdigest())).encode()
        signature = "zz" if flaw == "garbled" else _pair(_SEEDS[1]).sign(text).hex()
        return {
            "X-Fal-Webhook-Request-Id": request_id,
            "X-Fal-Webhook-User-Id": user,
            "X-Fal-Webhook-Timestamp": stamp,
            "X-Fal-Webhook-Signature": signature,
        }

    def _head(self, job: Job, word: str) -> dict[str, object]:
        here = f"{self.base_url}/fal-ai/kling-video/requests/{job.id}"
        addresses = {"response_url": here, "status_url": f"{here}/status", "cancel_url": f"{here}/cancel"}
        return {"status": word, "request_id": job.id, **addresses}

    def _outcome(self, job: Job) -> tuple[dict[str, object], int]:
        if job.story == "refused-422":
            return {
                "detail": [{"loc": ["body", "image_url"], "msg": "flagged by a content checker", "type": "policy"}]
            }, 422
        if job.story == "runner-504":
            return {"detail": "Request timed out", "error_type": "request_timeout"}, 504
        if job.story == "silent-504":
            return {"detail": "Gateway Timeout"}, 504
        if self.ends_well(job) or job.story in AFTER_ACCEPTING:
            return {"video": {"url": self.output(job), "content_type": "video/mp4", "file_size": 3515904}}, 200
        return {"detail": "Request is still in progress"}, 400


def _pair(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed).digest())


def _public(pair: Ed25519PrivateKey) -> str:
    raw = pair.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
