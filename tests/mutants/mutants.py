"""The guards, each broken by hand in the way in which somebody might break it one day."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock
from uuid import uuid4

import jobs.schedule
import jobs.settle
import jobs.sightings
import jobs.submit
from jobs import (
    budget,
    check_claims,
    circuit,
    decide,
    events,
    late,
    overdue,
    policy,
    refunds,
    retry,
    settle,
    shares,
    submission_claims,
    submit,
    switched_off,
    transitions,
    unconfirmed,
)
from jobs.policy import Policy
from jobs.settle import AttemptFailed
from jobs.sightings import Sightings
from jobs.transitions import RELEASED_LEASE, Transition, apply_transition
from process.settings import Settings
from process.workers import Workers
from providers.parsing.webhook_hints import read_webhook
from providers.reports import Failed, Ready, Report
from publisher import connection_errors, supervisor
from publisher.broker_state import BrokerState
from publisher.timing import Timing
from schemas.names import PROVIDERS, TERMINAL_EVENTS, DetectedBy, ErrorCode, EventType, Provider, VideoStatus
from store import attempt_leases, attempts, credits, idempotency, outbox, providers, sqlite, videos
from store.announcements import Role
from store.attempts import AttemptRow, AttemptState
from store.group import Committed, GroupCommit, deliver
from store.outbox import OutboxEvent
from store.providers import ProviderRow
from store.transaction import Tx
from tests.mutants.breaking import Mutant, all_of, patched
from tests.simulation.virtual import alive
from tests.simulation.world import connection


@contextmanager
def no_unique_terminal() -> Iterator[None]:
    """Drop the index that forbids a second terminal event."""
    sql = connection().execute("SELECT sql FROM sqlite_master WHERE name = 'outbox_one_terminal'").fetchone()[0]
    connection().execute("DROP INDEX outbox_one_terminal")
    try:
        yield
    finally:
        connection().execute("DELETE FROM outbox")
        connection().execute(sql)


def changed_from_any_state(
    tx: Tx, attempt_id: str, to: AttemptState, columns: Any, *, from_states: object, owner: str | None = None
) -> bool:
    del from_states
    return _change(tx, attempt_id, to, columns, from_states=list(AttemptState), owner=owner)


def finished_from_any_state(
    tx: Tx, video_id: str, to: VideoStatus, *, error: tuple[ErrorCode, str] | None, now: float
) -> Callable[[], bool]:
    code, message = error or (None, None)
    tx.execute(
        "UPDATE videos SET state = ?, error_code = ?, error_message = ?, completed_at = ? WHERE id = ?",
        (to, code, message, now, video_id),
    )
    return lambda: True


def id_of_each_end(video_id: str, event_type: EventType, attempt: int) -> str:
    return f"{video_id}:{event_type}:{attempt}"


def neither_compare_and_set_nor_index() -> AbstractContextManager[object]:
    return all_of(
        mock.patch.object(attempts, "change", changed_from_any_state),
        mock.patch.object(videos, "ask_finish", finished_from_any_state),
        mock.patch.object(events, "event_id", id_of_each_end),
        no_unique_terminal(),
    )


_change = attempts.change
_sendable = outbox.sendable
_announce = events.announce
_apply_late = late.apply_late
_commit_on_thread = check_claims._hand_over_webhooks
_commit = GroupCommit.commit
_lose = submit.mark_outcome_unknown
RESEND = Transition(AttemptState.WAITING, frozenset({AttemptState.SENDING}))


def sent_again(
    tx: Tx, policy: Policy, attempt: AttemptRow, message: str, *, now: float, owner: str | None = None
) -> None:
    del policy, message, owner
    apply_transition(tx, RESEND, attempt.id, {"due_at": now, **RELEASED_LEASE})


def resent_after_a_crash(
    tx: Tx, policy: Policy, attempt: AttemptRow, message: str, *, now: float, owner: str | None = None
) -> None:
    if "the process that sent it died" in message:
        apply_transition(tx, RESEND, attempt.id, {"due_at": now, **RELEASED_LEASE}, owner=owner)
    else:
        _lose(tx, policy, attempt, message, now=now, owner=owner)


def sent_by_whoever_comes(tx: Tx, attempt_id: str, *, owner: str, now: float) -> bool:
    del owner
    apply_transition(tx, transitions.SEND, attempt_id, {"submitted_at": now})
    return True


def lost_whatever_its_state(
    tx: Tx, policy: Policy, attempt: AttemptRow, message: str, *, now: float, owner: str | None = None
) -> None:
    if attempt.provider == "homedesigns":
        settle.fail(tx, policy, attempt, submit.unknown(message), now=now)
        return
    _lose(tx, policy, attempt, message, now=now, owner=owner)


def lost_at_once(attempt: AttemptRow, message: str, *_: Any) -> AttemptFailed:
    return AttemptFailed(ErrorCode.JOB_LOST, message, refunds.UNKNOWN, decide.prompted_by(attempt))


def believing_bodies(tx: Tx, policy: Policy, *, now: float) -> None:
    sql = "SELECT attempt_id, body FROM webhooks WHERE handled_at IS NULL"
    for attempt_id, body in tx.execute(sql).fetchall():
        attempt = attempts.get(tx, attempt_id)
        if attempt is not None and (urls := read_webhook(body).succeeded_urls):
            settle.succeed(tx, attempt, urls, detected_by=DetectedBy.WEBHOOK, now=now)
    _commit_on_thread(tx, policy, now=now)


def all_that_are_over(_: object, __: Policy, found: overdue.Overdue, **___: float) -> list[str]:
    return [row.id for row in found.attempts]


_REFUNDED = refunds.of_reported_failure(Provider("iacrea"), Failed("FAILED"))


def refunding_time_out(_: Policy) -> AttemptFailed:
    return AttemptFailed(ErrorCode.TIMED_OUT, "too late", _REFUNDED)


def announced_after_the_commit(tx: Tx, video_id: str, event_type: EventType, *, attempt: int, now: float) -> None:
    if event_type not in TERMINAL_EVENTS:
        _announce(tx, video_id, event_type, attempt=attempt, now=now)
        return
    world = alive[-1]

    async def afterwards() -> None:
        await world.write(_announce, video_id, event_type, attempt=attempt, now=now)

    assert world.acting is not None
    world.begin(world.acting, f"announce {video_id}", afterwards())


def late_result_for_the_video(
    tx: Tx, policy: Policy, attempt: AttemptRow, report: Report, *, now: float, owner: str | None = None
) -> object:
    if isinstance(report, Ready):
        tx.execute("UPDATE videos SET state = 'ready' WHERE id = ?", (attempt.video_id,))
    return _apply_late(tx, policy, attempt, report, now=now, owner=owner)


def marked_when_read(tx: Tx, *, now: float, limit: int) -> list[OutboxEvent]:
    found = _sendable(tx, now=now, limit=limit)
    outbox.mark_published(tx, [event.seq for event in found], now=0.0)
    return found


def named_when_published(tx: Tx, *, now: float, limit: int) -> list[OutboxEvent]:
    return [renamed(event, str(uuid4())) for event in _sendable(tx, now=now, limit=limit)]


def renamed(event: OutboxEvent, event_id: str) -> OutboxEvent:
    return event._replace(event_id=event_id, body=json.dumps({**json.loads(event.body), "id": event_id}))


def answered_before_the_commit(self: GroupCommit, group: list[Any], *, busy_timeout: float | None = None) -> object:
    def hasty(work: Callable[[Tx], object], future: Any) -> Callable[[Tx], object]:
        def run(tx: Tx) -> object:
            result = work(tx)
            early: list[Any] = [(future, result, None)]
            future.get_loop().call_soon_threadsafe(deliver, early)
            return result

        return run

    for piece in group:
        piece.run = hasty(piece.run, piece.future)
    return _commit(self, group, busy_timeout=busy_timeout)


def looking_after_the_time_out(provider: Provider, policy: Policy, *, accepted_at: float, plan: object) -> float:
    del provider, plan
    return accepted_at + policy.webhook_grace


def nothing(*_: object, **__: object) -> None: ...


def renewed_whosever_they_are(tx: Tx, attempt_ids: Any, *, owner: str, until: float) -> None:
    del owner
    for attempt_id in attempt_ids:
        tx.execute("UPDATE attempts SET lease_until = ?, due_at = ? WHERE id = ?", (until, until, attempt_id))


def lapsed_at_once(_: Sightings, leased: Any, *, owner: str, at: float) -> list[AttemptRow]:
    del owner, at
    return list(leased)


def taken_whosever_it_is(
    tx: Tx, step: Transition, attempt_id: str, columns: Any = RELEASED_LEASE, *, owner: str | None = None
) -> bool:
    del owner
    return apply_transition(tx, step, attempt_id, columns)


def all_that_are_silent(_: object, seen: Any, *, at: float, removed: Any = ()) -> set[tuple[Role, Provider]]:
    del at, removed
    return {(role, name) for role in Role for name in PROVIDERS if (role, name) not in seen}


def clock_back_empties_the_bucket() -> AbstractContextManager[object]:
    def tokens(_provider: Provider, shared: ProviderRow | None, rate: float, now: float, **_: bool) -> float:
        full = max(rate * 10, 1.0)
        return full if shared is None else min(full, shared.tokens + (now - shared.refilled_at) * rate)

    return mock.patch.object(budget, "tokens", tokens)


def never_expiring_leases() -> AbstractContextManager[object]:
    rooms = (policy, submission_claims, check_claims, jobs.sightings)
    return all_of(*(mock.patch.object(room, "LEASE_SECONDS", 1e9) for room in rooms))


def normal_sync() -> AbstractContextManager[object]:
    sync = sqlite.sync
    return mock.patch.object(sqlite, "sync", lambda tx, **_: sync(tx, at_once=False))


def all_refused(_: GroupCommit, group: list[Any], **__: object) -> Committed:
    return Committed([(work.future, None, ZeroDivisionError("row 3")) for work in group])


async def renewed_too_late(_: Workers[str]) -> None:
    """Leave it to the loop that renews now and then."""


async def deaf_to_strange_cancellations(
    settings: Settings, work: supervisor.Work, *, name: str, state: BrokerState, timing: Timing
) -> str | None:
    try:
        async with supervisor.link(settings, state, timing, name=name) as opened:
            await work(opened)
        return None
    except Exception as error:
        return connection_errors.reason(error)


IN_THE_SIMULATION = [
    Mutant("neither compare-and-set nor unique index", neither_compare_and_set_nor_index),
    Mutant("a crash's rest is sent again", patched(submission_claims, "mark_outcome_unknown", resent_after_a_crash)),
    Mutant("what was not answered is sent again", patched(submit, "mark_outcome_unknown", sent_again)),
    Mutant("no fence before sending", patched(submit, "send", sent_by_whoever_comes)),
    Mutant(
        "what was given back is declared lost",
        patched(submit, "mark_outcome_unknown", lost_whatever_its_state),
    ),
    Mutant("a webhook's body is believed", patched(check_claims, "_hand_over_webhooks", believing_bodies)),
    Mutant("our own time-out is refunded", patched(overdue, "timed_out", refunding_time_out)),
    Mutant("age alone times out", patched(overdue.Watch, "step", all_that_are_over)),
    Mutant("HomeDesigns is said to refund", patched(refunds, "of_reported_failure", lambda *_: _REFUNDED)),
    Mutant("nobody is said to refund", patched(refunds, "of_reported_failure", lambda *_: refunds.UNKNOWN)),
    Mutant("a second credit is risked unasked", patched(jobs.settle, "_UNSURE", frozenset())),
    Mutant("the terminal event comes after the commit", patched(events, "announce", announced_after_the_commit)),
    Mutant("a lease never expires", never_expiring_leases),
    Mutant("a late result changes the video", patched(late, "apply_late", late_result_for_the_video)),
    Mutant("marked before it is confirmed", patched(outbox, "sendable", marked_when_read)),
    Mutant("an event is named when it is published", patched(outbox, "sendable", named_when_published)),
    Mutant(
        "the answer to what was declared lost is dropped",
        patched(jobs.submit, "ACCEPT", Transition(AttemptState.GENERATING, frozenset({AttemptState.SENDING}))),
    ),
    Mutant("an unknown job is lost at once", patched(decide, "_lost", lost_at_once)),
    Mutant(
        "neither refunds nor doubts are entered in the ledger", patched(jobs.settle, "_enter_refund", lambda *_: None)
    ),
]

IN_ONE_TEST: dict[str, Mutant] = {
    "dropped claims are taken up": Mutant(
        "a claim that was dropped is never taken up", patched(submission_claims, "ABANDONED_LEASE_SECONDS", 1e9)
    ),
    "the answer that came meanwhile counts": Mutant(
        "ignorance outweighs an answer", patched(unconfirmed, "_still_unconfirmed", lambda _tx, _attempt: True)
    ),
    "a webhook during a check counts": Mutant(
        "a webhook during a check is slept through",
        patched(check_claims, "woken_meanwhile", lambda _tx, _attempt: False),
    ),
    "the budget is shared": Mutant("requests are not counted", patched(budget, "spend", nothing)),
    "ones own leases are renewed before a claim": Mutant(
        "nothing is renewed before one's own claim", patched(Workers, "_renew_leases", renewed_too_late)
    ),
    "what is paid comes first": Mutant(
        "submissions take what there is",
        patched(shares, "ask_for_submissions", lambda *_, **__: lambda allowed: allowed.requests),
    ),
    "a clock that goes back refills nothing": Mutant("clock back empties the bucket", clock_back_empties_the_bucket),
    "only ones own leases are renewed": Mutant(
        "anybody's lease is renewed", patched(attempt_leases, "renew_leases", renewed_whosever_they_are)
    ),
    "a step of the clock kills nobody": Mutant(
        "leases are believed by the wall clock", patched(Sightings, "lapsed", lapsed_at_once)
    ),
    "a late check that was overtaken is dropped": Mutant(
        "a stale owner reschedules a late check", patched(late, "apply_transition", taken_whosever_it_is)
    ),
    "providers that are away are not off": Mutant(
        "generators that are away switch providers off", patched(switched_off.Watch, "step", all_that_are_silent)
    ),
    "throttling pauses": Mutant("a pause is forgotten", patched(providers, "pause", nothing)),
    "a job is given up in time": Mutant("nobody gives up", patched(overdue.Watch, "step", lambda *_, **__: [])),
    "what waits for its turn is kept": Mutant(
        "waiting for a look counts as no answer", patched(overdue.Watch, "_without_answer", lambda *_: True)
    ),
    "a key stands for a video": Mutant(
        "keys stand for nothing", patched(idempotency, "keep_key", lambda *_, kept, **__: kept)
    ),
    "the watch ends": Mutant("the late truth is watched for ever", patched(jobs.schedule, "LATE_RESULT_SECONDS", 1e9)),
    "late refunds count": Mutant("refunds that come late are forgotten", patched(credits, "enter", nothing)),
    "nothing is given up without a look": Mutant(
        "the first look may come too late", patched(jobs.schedule, "first_check", looking_after_the_time_out)
    ),
    "commits come first": Mutant(
        "answered before the commit", patched(GroupCommit, "commit", answered_before_the_commit)
    ),
    "commits are synced": Mutant("commits are not synced", normal_sync),
    "what is decided is synced": Mutant(
        "what is decided is synced as it was called", patched(Tx, "must_sync", nothing)
    ),
    "handles take turns": Mutant(
        "transactions begin deferred", patched(sqlite, "begin", lambda tx: tx.execute("BEGIN"))
    ),
    "one probe at a time": Mutant("everybody tests a provider", patched(circuit, "_probed_until", nothing)),
    "waiting costs no tries": Mutant(
        "an open circuit lets work pass", patched(circuit, "ask_gate", lambda *_, **__: lambda: circuit.OPEN_GATE)
    ),
    "a probe's success closes": Mutant("a circuit never closes", patched(circuit, "note_answer", nothing)),
    "one retry at a time": Mutant("a retry does not know of others", patched(retry, "_family", lambda _tx, v: [v])),
    "no risk is taken silently": Mutant("what may be paid is retried", patched(retry, "_refuse_paying_twice", nothing)),
    "a webhook without a name ends nothing": Mutant(
        "a webhook without a name ends the wait",
        patched(
            unconfirmed,
            "keep_waiting",
            lambda tx, policy, attempt, now, **_: unconfirmed.fail_unconfirmed(
                tx, policy, attempt, "it names nothing", now=now
            ),
        ),
    ),
    "anothers job proves nothing": Mutant(
        "anybody's job is taken for one's own",
        patched(unconfirmed, "unclaimed_ids", lambda _tx, _attempt, named: named),
    ),
    "every question has its token": Mutant(
        "further questions are free", patched(unconfirmed, "may_ask", lambda *_, **__: True)
    ),
    "a failure harms only itself": Mutant(
        "one failure spoils its group", patched(GroupCommit, "_one_by_one", all_refused)
    ),
    "a strange cancellation is a lost link": Mutant(
        "a strange cancellation ends the relay", patched(supervisor, "_one_connection", deaf_to_strange_cancellations)
    ),
}
"""Each by the name of the check in `test_gate` that must notice."""
