"""What generators and pollers do, step by step, with providers that take and finish everything."""

from jobs import assignment, check, check_claims, submission_claims, submit, unconfirmed
from providers.reports import Accepted, Ready
from store import open_attempts
from store.attempts import AttemptRow, AttemptState
from store.transaction import Tx
from tests.store.first_release import ITS_PROVIDERS, POLICY

NOW_OWNER = "a process of this release"


def live_on(tx: Tx, now: float) -> None:
    """Do it once."""
    assignment.route(tx, POLICY, now=now)
    for provider in ITS_PROVIDERS:
        dead = [sent for sent in open_attempts.sending(tx, provider, now=now) if (sent.due_at or 0) <= now]
        found = submission_claims.claim(tx, POLICY, provider, owner=NOW_OWNER, room=99, now=now, dead=dead)
        for attempt, _ in found.work:
            if submit.send(tx, attempt.id, owner=NOW_OWNER, now=now):
                submit.accepted(tx, POLICY, attempt, Accepted(f"new {attempt.id}"), sent_at=now, now=now)
        for attempt in check_claims.claim(tx, POLICY, provider, owner=NOW_OWNER, room=99, now=now).work:
            look(tx, attempt, now)


def look(tx: Tx, attempt: AttemptRow, now: float) -> None:
    """Find the video ready, or no proof that there is one."""
    if attempt.state is AttemptState.UNCONFIRMED:
        unconfirmed.keep_waiting(tx, POLICY, attempt, owner=NOW_OWNER, now=now)
        return
    report = Ready((f"https://cdn.example/{attempt.provider_job_id}.mp4",))
    check.apply(tx, POLICY, attempt, report, owner=NOW_OWNER, now=now)
