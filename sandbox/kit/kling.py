"""Kling's API of 2026 as its pages describe it: an envelope with a code of its own, and tasks found by our name."""

import random
import time
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.kit.signing import standard_headers
from sandbox.kit.standin import Job, KitStandIn

SECRET = "whsec_cmVlbGJ1cyBtYWRlLXVwIGtsaW5nIG5ldyBzZWNyZXQ="  # noqa: S105  (a made-up one, worth nothing)
OLDER_SECRET = "whsec_dGVzdHNlY3JldHRlc3RzZWNyZXR0ZXN0c2VjcmV0MTI="  # noqa: S105  (from its own page)

_REFUSED = {
    "unauthorised": (401, 1002, "Authorization is invalid"),
    "no-money": (429, 1102, "Account balance not enough"),
    "no-money-in-arrears": (429, 1101, "Account in arrears"),
    "limit": (429, 1303, "parallel task over resource pack limit"),
    "too-fast": (429, 1302, "API request too fast"),
    "bad-request": (400, 1201, "Parameter is invalid"),
    "policy": (400, 1301, "Failure to pass the risk control system"),
    "refused-in-200": (200, 1301, "Failure to pass the risk control system"),
}


class StandIn(KitStandIn):
    """The stand-in for Kling."""

    provider = "kling"
    calls_back_at = frozenset({"start", "end"})
    credentials: Mapping[str, str] = {"api_key": "api-key-kling-sandbox", "webhook_secret": SECRET}
    failures: Mapping[str, str] = {"unbilled": "unknown", "billed-nothing": "not_charged", "billed": "charged"}
    refusals: Mapping[str, str] = {
        "no-money": "out_of_credits",
        "no-money-in-arrears": "out_of_credits",
        "limit": "",
        "too-fast": "",
        "bad-request": "request_rejected",
        "policy": "request_rejected",
        "refused-in-200": "request_rejected",
    }

    def __init__(self) -> None:
        super().__init__()
        self.rotating = False
        """Whether both secrets sign, as for a week after a rotation."""
        self._shuffle = random.Random(1)  # noqa: S311  (repeatable on purpose)

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route("/image-to-video/{model}", self.submit, methods=["POST"]),
            Route("/tasks", self.admitted(self.tasks), methods=["GET"]),
            Route("/account/costs", self.admitted(self.costs), methods=["GET"]),
        ]

    def refusal(self, story: str) -> Response:
        """Answer with the envelope, whose code counts."""
        status, code, message = _REFUSED[story]
        return JSONResponse({"code": code, "message": message, "request_id": "r-1"}, status)

    def fault_in(self, wish: Mapping[str, object], request: Request) -> Response | None:
        """Want a first frame by address, and a name that is not in use."""
        del request
        contents, options = wish.get("contents"), wish.get("options")
        frames = [each for each in contents if each.get("type") == "first_frame"] if isinstance(contents, list) else []
        name = options.get("external_task_id") if isinstance(options, dict) else None
        if len(frames) != 1 or not str(frames[0].get("url")).startswith("http"):
            return self.refusal("bad-request")
        taken = name is not None and any(job.name == name for job in self.jobs.values())
        return self.refusal("bad-request") if taken else None

    def named(self, wish: Mapping[str, object], request: Request) -> tuple[str | None, str | None]:
        """Take webhook and name from the options."""
        del request
        options = wish.get("options")
        given = options if isinstance(options, dict) else {}
        return given.get("callback_url"), given.get("external_task_id")

    def new_id(self) -> str:
        """Make an id of 18 digits."""
        return str(893605946402811985 + len(self.jobs))

    def accepted(self, job: Job) -> Response:
        """Give what is said of a new task, which is less than when it is asked about."""
        said = ("id", "status", "external_id", "create_time", "update_time")
        return self._enveloped({name: value for name, value in self._task(job, "submitted").items() if name in said})

    def tasks(self, request: Request) -> Response:
        """Give the tasks that are asked for, by id or by our names, in no order; none is no error."""
        ids, names = request.query_params.get("task_ids"), request.query_params.get("external_task_ids")
        if (ids is None) == (names is None):
            return self.refusal("bad-request")
        wanted = (ids or names or "").split(",")
        found = [
            job
            for job in self.jobs.values()
            if (job.id if ids is not None else job.name) in wanted and self.known(job.id)
        ]
        self._shuffle.shuffle(found)
        return self._enveloped([self.report(job) for job in found])

    def costs(self, request: Request) -> Response:
        """Tell what is left in the resource packs."""
        del request
        packs = [{"total_quantity": 5000, "remaining_quantity": 4990, "status": "online"}]
        return self._enveloped({"code": 0, "resource_pack_subscribe_infos": packs})

    def report(self, job: Job) -> dict[str, object]:
        """Give the task, which is a callback's body too."""
        if job.story in ("queued", "running", "new-word"):
            return self._task(job, {"queued": "submitted", "running": "processing"}.get(job.story, "reviewing"))
        if self.ends_well(job):
            video: dict[str, object] = {"type": "video", "id": "v1", "url": self.output(job), "duration": "5.041"}
            marked = {"watermark_url": "https://video.example/marked.mp4"}
            billing = [{"charge_type": "unit", "amount": "1.5", "package_type": "video"}]
            outputs = [] if job.story == "no-output" else [video | marked]
            return self._task(job, "succeeded") | {"outputs": outputs, "billing": billing}
        billed: dict[str, object] = {}
        if job.story != "unbilled":
            amount = "0" if job.story == "billed-nothing" else "1.5"
            billed = {"billing": [{"charge_type": "unit", "amount": amount, "package_type": "video"}]}
        return self._task(job, "failed") | {"message": "Failure to pass the risk control system"} | billed

    def signed(self, body: bytes, *, at: float, flaw: str) -> dict[str, str]:
        """Sign with the newest secret, and while it is rotated with the older one too."""
        older = OLDER_SECRET if self.rotating else None
        return standard_headers(SECRET, body, at=at, flaw=flaw, older=older)

    def _task(self, job: Job, word: str) -> dict[str, object]:
        created, now = int(job.created_at * 1000), int(time.time() * 1000)
        times = {"create_time": created, "update_time": now}
        return {"id": job.id, "status": word, "message": "", "outputs": [], "external_id": job.name, **times}

    def _enveloped(self, data: object) -> Response:
        return JSONResponse({"code": 0, "message": "SUCCEED", "request_id": "r-1", "data": data})
