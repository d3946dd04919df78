"""A desk at which one video's life is told step by step: real work functions, real tables, a clock set by hand."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec, TypeVar

from jobs import accept, assignment, check, check_claims, learning, ledger, overdue, submission_claims, submit, view
from jobs.accept import AcceptedVideo, NewVideo
from jobs.decide import Decision
from jobs.policy import Policy
from jobs.results import Finding
from providers.reports import Accepted, Failed, Ready
from schemas.names import Motion, Orientation, Provider, ProviderChoice
from schemas.video import Attempt, ProviderCredits, Video
from store import attempts, open_attempts, outbox
from store import webhooks as stored_webhooks
from store.attempts import AttemptRow
from store.postgres import Session
from store.transaction import Tx
from store.webhooks import Delivery
from tests.support.stores import in_memory, transact

P = ParamSpec("P")
T = TypeVar("T")

START = 1_700_000_000.0
CLIP = "https://cdn.example/v.mp4"
READY = Ready((CLIP,))
FAILED = Failed("the provider reports FAILED")
GENERATOR, POLLER = "generator-1", "poller-1"

REQUEST = NewVideo(
    motion=Motion.ZOOM_IN,
    orientation=Orientation.LANDSCAPE,
    prompt=None,
    choice=ProviderChoice("iacrea"),
    fallback=False,
    metadata={},
    image_url="https://pictures.example/house.png",
    picture=None,
    caller="tester",
    idempotency_key=None,
    fingerprint="as it is",
)


class JobScenario:
    """One store in memory, the policy, and the time that it is."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.connection: sqlite3.Connection | Session = in_memory()
        self.policy = policy or Policy(providers=(Provider("iacrea"), Provider("homedesigns")))
        self.now = START

    def do(self, work: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return transact(self.connection, work, *args, **kwargs)

    def under(self, **rules: Any) -> "JobScenario":
        self.policy = replace(self.policy, **rules)
        return self

    def request(self, **fields: Any) -> str:
        answer = self.do(
            accept.accept, replace(REQUEST, **fields), lambda video: f"https://us.example/{video}", now=self.now
        )
        assert isinstance(answer, AcceptedVideo)
        return answer.video.id

    def routed(self, **fields: Any) -> AttemptRow:
        video_id = self.request(**fields)
        self.do(assignment.route, self.policy, now=self.now)
        return self.attempt(video_id)

    def claimed(self, provider: Provider = Provider("iacrea"), *, owner: str = GENERATOR, **fields: Any) -> AttemptRow:
        if provider not in self.policy.providers:
            self.policy = replace(self.policy, providers=(*self.policy.providers, provider))
        self.routed(**{"choice": ProviderChoice(provider), **fields})
        [(attempt, _)] = self.do(submission_claims.claim, self.policy, provider, owner=owner, room=1, now=self.now).work
        return attempt

    def sending(self, provider: Provider = Provider("iacrea"), **fields: Any) -> AttemptRow:
        attempt = self.claimed(provider, **fields)
        assert self.do(submit.send, attempt.id, owner=GENERATOR, now=self.now)
        return self.current(attempt)

    def generating(
        self,
        provider: Provider = Provider("iacrea"),
        *,
        job: str = "job-1",
        remaining: int | None = None,
        **fields: Any,
    ) -> AttemptRow:
        attempt = self.sending(provider, **fields)
        self.accept(attempt, job=job, remaining=remaining)
        return self.current(attempt)

    def unconfirmed(self, **fields: Any) -> AttemptRow:
        attempt = self.sending(Provider("iacrea"), **fields)
        self.do(submit.mark_outcome_unknown, self.policy, attempt, "no answer came", now=self.now)
        return self.current(attempt)

    def dead(self, provider: Provider) -> list[AttemptRow]:
        """List what is being sent and whose leases have run out: as if somebody had watched all the time."""
        sent = self.do(open_attempts.sending, provider, now=self.now)
        return [attempt for attempt in sent if attempt.due_at is not None and attempt.due_at <= self.now]

    def accept(
        self, attempt: AttemptRow, *, job: str | None = "job-1", remaining: int | None = None,
        finished: Ready | Failed | None = None,
    ) -> None:  # fmt: skip
        answer = Accepted(job, remaining, finished)
        self.do(submit.accepted, self.policy, attempt, answer, sent_at=self.now, now=self.now)

    def due(self, provider: Provider = Provider("iacrea"), *, owner: str = POLLER, room: int = 100) -> list[AttemptRow]:
        """Claim what is to be checked now."""
        return self.do(check_claims.claim, self.policy, provider, owner=owner, room=room, now=self.now).work

    def wait_until_due(self, attempt: AttemptRow) -> AttemptRow:
        """Let time pass until the attempt is due, and claim it for the poller."""
        self.now = max(self.now, self.current(attempt).due_at or 0)
        [claimed] = [found for found in self.due(attempt.provider) if found.id == attempt.id]
        return claimed

    def learn(self, claimed: AttemptRow, report: Finding, *, owner: str = POLLER) -> Decision | None:
        decision = self.do(check.apply, self.policy, claimed, report, owner=owner, now=self.now)
        lesson = decision and check.lesson(claimed, report, decision, now=self.now)
        if lesson:
            self.do(learning.learn, [lesson])
        return decision

    def answered(self, claimed: AttemptRow, report: Finding, *, asked_at: float) -> Decision | None:
        """Have the answer come to what the poller asked some time ago."""
        policy, now = self.policy, self.now
        return self.do(check.apply, policy, claimed, report, owner=POLLER, now=now, asked_at=asked_at)

    def checked(self, attempt: AttemptRow, report: Finding) -> Decision | None:
        """Wait until the attempt is due, and have its provider answer so."""
        return self.learn(self.wait_until_due(attempt), report)

    def webhook(self, attempt: AttemptRow, body: bytes = b"{}") -> None:
        """Have a webhook come and be handed to its attempt."""
        self.do(stored_webhooks.record, [Delivery(attempt.id, body, len(body), "application/json")], now=self.now)
        self.due(room=0)

    def timed_out(self, provider: Provider = Provider("iacrea"), **fields: Any) -> AttemptRow:
        """Have an attempt that its provider never finished in time."""
        attempt = self.generating(provider, **fields)
        self.now += self.policy.job_timeout + 4
        self.give_up()
        return self.current(attempt)

    def give_up(self) -> None:
        """Have the one attempt given up whose time is over, as if its provider had been asked in vain."""
        [attempt] = self.do(overdue.find, self.policy, now=self.now).attempts
        assert self.do(overdue.give_up, self.policy, [attempt.id], now=self.now) == 1

    def current(self, attempt: AttemptRow) -> AttemptRow:
        row = self.do(attempts.get, attempt.id)
        assert row is not None
        return row

    def attempt(self, video_id: str, number: int = 1) -> AttemptRow:
        return self.do(attempts.of_videos, [video_id])[video_id][number - 1]

    def video(self, attempt: AttemptRow) -> Video:
        return self.do(view.existing, attempt.video_id)

    def shown(self, attempt: AttemptRow) -> Attempt:
        return self.video(attempt).attempts[attempt.number - 1]

    def events(self, attempt: AttemptRow) -> list[dict[str, Any]]:
        """Read the events of the attempt's video, oldest first."""
        return [body for body in self.bodies() if body["subject"] == attempt.video_id]

    def bodies(self) -> list[dict[str, Any]]:
        """Read all events, oldest first."""
        return [json.loads(event.body) for event in self.do(outbox.after, seq=0, limit=10_000)]

    def routing_keys(self) -> list[str]:
        """Name the routing keys of all events, oldest first."""
        return [event.routing_key for event in self.do(outbox.after, seq=0, limit=10_000)]

    def told(self, attempt: AttemptRow) -> list[str]:
        """Name the events of the attempt's video in their order."""
        return [event["type"].removeprefix("video.") for event in self.events(attempt)]

    def credits(self, provider: Provider = Provider("iacrea")) -> ProviderCredits:
        return self.do(ledger.all_credits)[provider]
