"""What the stand-ins have in common: stories, jobs, faults, and webhooks with every flaw that a signature can have."""

import asyncio
import json
import time
import uuid
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.fault_responses import FaultTiming, apply_fault
from sandbox.faults import fault_named

Endpoint = Callable[[Request], Awaitable[Response]]

OK = "ok"
ACCEPTING = frozenset({OK, "running", "queued", "unknown", "no-output", "private-output", "new-word"})
"""Stories whose submission is accepted and answered. Each stand-in adds its `failures`."""

AFTER_ACCEPTING = {
    "drop": "reset",
    "500-after": "http-500",
    "504-after": "http-504",
    "html": "html-200",
    "empty": "empty-200",
}
"""Stories whose submission is accepted, and whose answer is this fault."""

BEFORE_ACCEPTING = {"503": "http-503", "503-later": "http-503-retry-after", "web-page": "html-502"}
"""Stories whose submission meets this fault; whether it was accepted the sender cannot always know."""

PRIVATE_OUTPUT = "http://169.254.169.254/latest/video.mp4"
FLAWS = ("", "unsigned", "changed", "old", "future", "garbled")
"""What may be wrong with a webhook's signature; each stand-in may add its own."""


@dataclass(slots=True)
class Job:
    """A job that was accepted."""

    id: str
    story: str
    webhook: str | None
    wish: Mapping[str, object]
    """The body of the submission."""
    headers: Mapping[str, str]
    name: str | None = None
    created_at: float = field(default_factory=time.time)
    cancelled: bool = False
    deleted: bool = False


class JobLife(Protocol):
    """What moves jobs on by itself; without one a job is at once what its story says."""

    def story(self) -> str:
        """Draw what becomes of the next submission."""

    def begin(self, job: Job) -> None:
        """Have a job live, which was accepted just now."""


class KitStandIn(ABC):
    """One provider. `plan` names the stories of the next submissions; the rest end well at once."""

    provider: str
    credentials: Mapping[str, str]
    """The made-up credentials that it takes, by the names of the provider's settings."""
    failures: Mapping[str, str]
    """The stories that end in failure, and what the pages say of the credit: `refunded`, `not_charged` and so on."""
    refusals: Mapping[str, str]
    """The stories whose submission is refused, and the code of the error that it means to a caller; `limit` is none."""

    scheme = "Bearer"
    """How a request names the first credential: `Authorization: Bearer …`."""
    calls_back_at: frozenset[str] = frozenset()
    """When it calls back: `start`, `end`."""

    def __init__(self) -> None:
        self.life: JobLife | None = None
        self.base_url = ""
        """Where it listens; set once that is known."""
        self.jobs: dict[str, Job] = {}
        self.asked: list[tuple[str, str]] = []
        """Method and path of every request."""
        self.usual = OK
        self._stories: deque[str] = deque()
        self._timing = FaultTiming(asyncio.Event(), hang=600.0, drip=120.0, retry_after=2.0, elsewhere="")

    def plan(self, *stories: str) -> None:
        """Name the stories of the next submissions. Raises ValueError for one that is not known."""
        for story in stories:
            if story not in self.stories:
                raise ValueError(
                    f"{story} is no story of {self.provider}; choose from {', '.join(sorted(self.stories))}"
                )
        self._stories.extend(stories)

    @property
    def stories(self) -> set[str]:
        """Every story that it knows."""
        return {*ACCEPTING, *AFTER_ACCEPTING, *BEFORE_ACCEPTING, *self.failures, *self.refusals}

    @abstractmethod
    def routes(self) -> list[Route]:
        """List the provider's routes."""

    @abstractmethod
    def refusal(self, story: str) -> Response:
        """Answer a submission that a story of `refusals`, or `unauthorised`, turns away."""

    @abstractmethod
    def fault_in(self, wish: Mapping[str, object], request: Request) -> Response | None:
        """Refuse a submission that is not as the pages say; None for a good one."""

    @abstractmethod
    def accepted(self, job: Job) -> Response:
        """Answer an accepted submission."""

    def named(self, wish: Mapping[str, object], request: Request) -> tuple[str | None, str | None]:
        """Give the webhook's address and our own name for the job, from a submission; a provider may know neither."""
        del wish, request
        return None, None

    @abstractmethod
    def report(self, job: Job) -> dict[str, object]:
        """Give the body of a webhook about a job as it is now."""

    def signed(self, body: bytes, *, at: float, flaw: str) -> dict[str, str]:
        """Give the headers of a webhook that is sent at a time, with a flaw; none of a provider that signs nothing."""
        del body, at, flaw
        return {}

    def new_id(self) -> str:
        """Make an id in the provider's form."""
        return str(uuid.uuid4())

    async def submit(self, request: Request) -> Response:
        """Meet a submission."""
        if not self.admit(request):
            return self.refusal("unauthorised")
        story = self._next_story()
        if story in BEFORE_ACCEPTING:
            return self._fault(BEFORE_ACCEPTING[story])
        if story in self.refusals:
            return self.refusal(story)
        wish = await _json(request)
        fault = self.fault_in(wish, request)
        if fault is not None:
            return fault
        webhook, name = self.named(wish, request)
        job = Job(self.new_id(), story, webhook, wish, dict(request.headers), name)
        self.jobs[job.id] = job
        if self.life is not None:
            self.life.begin(job)
        if story in AFTER_ACCEPTING:
            return self._fault(AFTER_ACCEPTING[story])
        return self.accepted(job)

    def _next_story(self) -> str:
        if self._stories:
            return self._stories.popleft()
        return self.usual if self.life is None else self.life.story()

    def settings(self) -> dict[str, str]:
        """Give the provider's settings, by their names in its record, with which a service uses this stand-in."""
        return {"url": self.base_url, **self.credentials}

    def admit(self, request: Request) -> bool:
        """Note a request; say whether it proves who sends it."""
        self.asked.append((request.method, request.url.path))
        wanted = next(iter(self.credentials.values()))
        return request.headers.get("authorization") == f"{self.scheme} {wanted}"

    def admitted(self, answer: Callable[[Request], Response]) -> Endpoint:
        """Make an endpoint that answers whoever may ask."""

        async def endpoint(request: Request) -> Response:
            return answer(request) if self.admit(request) else self.refusal("unauthorised")

        return endpoint

    def about_a_job(self, answer: Callable[[Job], Response], absent: Mapping[str, object]) -> Endpoint:
        """Make an endpoint that answers about the job whose `id` its path names; `absent`, with 404, without one."""

        def found(request: Request) -> Response:
            job = self.known(request.path_params["id"])
            return JSONResponse(absent, 404) if job is None else answer(job)

        return self.admitted(found)

    def shown(self, job: Job) -> Response:
        """Answer with a job's report."""
        return JSONResponse(self.report(job))

    def known(self, job_id: str) -> Job | None:
        """Find a job that a question may be about."""
        job = self.jobs.get(job_id)
        return None if job is None or job.story == "unknown" or job.deleted else job

    def delivery(self, job_id: str, flaw: str = "", *, at: float | None = None) -> tuple[dict[str, str], bytes]:
        """Give the headers, in lower case, and the body of a webhook about a job as it is now."""
        body = json.dumps(self.report(self.jobs[job_id])).encode()
        sent_at = time.time() if at is None else at
        sent_at += {"old": -3600, "future": 3600}.get(flaw, 0)
        headers = {} if flaw == "unsigned" else self.signed(body, at=sent_at, flaw=flaw)
        sent = body.replace(b"{", b"{ ", 1) if flaw == "changed" else body
        return {name.lower(): value for name, value in headers.items()}, sent

    def output(self, job: Job) -> str | None:
        """Give the address of a finished job's video."""
        if job.story == "no-output":
            return None
        if job.story == "private-output":
            return PRIVATE_OUTPUT
        return f"https://video.example/{job.id}.mp4" if self.life is None else f"{self.base_url}/clips/{job.id}.mp4"

    def ends_well(self, job: Job) -> bool:
        """Say whether a job has finished with a video, or what should be one."""
        return job.story in {OK, "no-output", "private-output", "unknown", *AFTER_ACCEPTING}

    def _fault(self, name: str) -> Response:
        fault = fault_named(name)
        if fault is None:
            raise ValueError(f"there is no fault {name}")
        return apply_fault(fault, self._timing, JSONResponse({}), None)


async def _json(request: Request) -> dict[str, object]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
