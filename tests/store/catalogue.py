"""Calls of what the simulated histories do not reach, so that every statement's plan can be looked at.

A new statement that `test_plans.py` says nobody ran is called here, with whatever values: only its plan counts.
"""

from collections.abc import Callable
from itertools import product

from schemas.names import EventType, Provider, VideoStatus
from store import (
    announcements,
    answer_shapes,
    api_keys,
    attempt_leases,
    audit,
    circuits,
    clocks,
    credits,
    due_attempts,
    durations,
    erasure,
    history,
    idempotency,
    leases,
    newest,
    open_attempts,
    outbox,
    pauses,
    providers,
    pruned,
    refused_webhooks,
    secrets,
    spending,
    traces,
    unreadable,
    uploads,
    video_lists,
    videos,
    webhooks,
)
from store.announcements import Role
from store.api_keys import StoredKey
from store.attempts import AttemptState
from store.credits import Entry, Sums
from store.idempotency import KeptKey
from store.probe import probe
from store.transaction import Tx
from store.unreadable import Kind, put_aside
from store.uploads import Upload
from store.video_lists import Filter

NOW = 1_700_000_000.0
P = Provider("iacrea")
SHAPE = answer_shapes.AnswerShape(P, "s", 200, "", "{}", "working", "1", NOW, NOW, 1)

CALLS: list[Callable[[Tx], object]] = [
    *(
        lambda tx, status=status, provider=provider, before=before: video_lists.page(
            tx, Filter(status, provider), before=before, limit=20
        )
        for status, provider, before in product((None, VideoStatus.READY), (None, P), (None, "0198"))
    ),
    *(
        lambda tx, wanted=wanted: video_lists.page(tx, wanted, before="0198", limit=20)
        for wanted in (
            Filter(since=NOW, until=NOW),
            Filter(VideoStatus.READY, P, since=NOW, until=NOW),
            Filter(metadata={"a": "b"}, since=NOW, until=NOW),
            Filter(VideoStatus.READY, P, {"a": "b", "c": "d"}),
        )
    ),
    lambda tx: traces.of_video(tx, "v"),
    lambda tx: traces.of_attempt(tx, "a"),
    lambda tx: newest.ended(tx, P, limit=50),
    lambda tx: newest.taken(tx, P, limit=200),
    lambda tx: due_attempts.hasten(tx, "v", now=NOW, pause=1.0),
    lambda tx: refused_webhooks.add(tx, provider="iacrea", peer="127.0.0.1", reason="", now=NOW),
    lambda tx: refused_webhooks.newest(tx, limit=5),
    *(lambda tx, before=before: webhooks.page(tx, before=before, limit=5) for before in (None, 9)),
    lambda tx: providers.set_solvent(tx, P, solvent=False, now=NOW),
    lambda tx: erasure.state_of(tx, "v"),
    lambda tx: erasure.ended_before(tx, before=NOW, up_to_id="0198", limit=1),
    lambda tx: erasure.erase(tx, with_metadata(tx)),
    lambda tx: idempotency.keep_key(tx, caller="c", key="k", kept=KeptKey("f", "v"), now=NOW),
    lambda tx: idempotency.keep_key(tx, caller="c", key="k", kept=KeptKey("f", "w"), now=NOW),
    lambda tx: idempotency.drop_key(tx, caller="c", key="k"),
    lambda tx: attempt_leases.held_elsewhere(Locking(tx), ["a"]),
    lambda tx: idempotency.forget_keys(tx, before=NOW, limit=1),
    videos.count_by_state,
    lambda tx: due_attempts.next_due(tx, (AttemptState.WAITING, AttemptState.CLAIMED, AttemptState.SENDING), P),
    lambda tx: due_attempts.next_due(tx, (AttemptState.UNCONFIRMED, AttemptState.GENERATING), P),
    lambda tx: due_attempts.ask_mark_due(tx, "a", now=NOW, pause=1, watched=1),
    lambda tx: outbox.add(
        tx, event_id="e", video_id="v", event_type=EventType.READY, routing_key="video.ready", body="{}", now=NOW
    ),
    lambda tx: outbox.publish_again(tx, "v"),
    outbox.backlog,
    outbox.last_seq,
    lambda tx: outbox.seq_of(tx, "e"),
    lambda tx: outbox.of_video(tx, "v"),
    lambda tx: credits.enter(tx, P, "a", Entry.REFUNDED, sent_at=NOW, now=NOW),
    lambda tx: credits.strike_unknown(tx, "a"),
    lambda tx: credits.sums(tx, P),
    lambda tx: credits.keep_sums(tx, P, Sums()),
    lambda tx: credits.count_after(tx, P, 0),
    lambda tx: credits.following(tx, P, 0, limit=1),
    lambda tx: credits.first_reports(tx, P),
    lambda tx: credits.last_reports(tx, P),
    lambda tx: credits.enter(tx, P, "b", Entry.UNKNOWN, sent_at=NOW, now=NOW),
    lambda tx: credits.strike_unknown(tx, "b"),
    lambda tx: outbox.last_old(tx, after=0, before=NOW, limit=1),
    lambda tx: outbox.drop_bodies(tx, after=0, up_to=1),
    lambda tx: webhooks.last_old(tx, after=0, before=NOW, limit=1),
    lambda tx: webhooks.drop_bodies(tx, after=0, up_to=1),
    lambda tx: pruned.place(tx, "outbox"),
    lambda tx: pruned.keep_place(tx, "outbox", 1),
    lambda tx: webhooks.of_attempt(tx, "a"),
    lambda tx: webhooks.drop_oldest(tx, ["a"]),
    lambda tx: history.of_video(tx, submitted_video(tx)),
    lambda tx: durations.load(tx, P),
    lambda tx: durations.save(tx, P, "[]", completions=1),
    lambda tx: leases.release(tx, "relay", owner="o"),
    lambda tx: providers.pause(tx, P, until=NOW),
    lambda tx: providers.set_submission_tokens(tx, P, tokens=1.0, now=NOW),
    lambda tx: due_attempts.to_fetch(
        tx, P, owner="o", now=NOW, forgotten_before=NOW, not_from=["http://slow.example/"], limit=1
    ),
    lambda tx: probe(tx, now=NOW),
    lambda tx: uploads.add(tx, any_video(tx), Upload("image/png", 1, None, "name")),
    lambda tx: uploads.of_video(tx, "v"),
    lambda tx: uploads.body(tx, "v"),
    lambda tx: uploads.retire(tx, any_video(tx), now=NOW),
    lambda tx: uploads.drop(tx, unused_before=NOW + 1, limit=1),
    lambda tx: uploads.without_video(tx, ["name"]),
    lambda tx: uploads.keep_body(tx, "name", b"", now=NOW),
    lambda tx: uploads.kept_body(tx, "name"),
    lambda tx: uploads.drop_bodies(tx, ["name"]),
    lambda tx: uploads.drop_orphans(tx, before=NOW, limit=1),
    lambda tx: api_keys.add(tx, StoredKey("shop", "digest", frozenset(), None, NOW, None, None)),
    api_keys.get_all,
    api_keys.disabled_callers,
    lambda tx: api_keys.disable(tx, "shop", now=NOW),
    lambda tx: api_keys.disable_one(tx, "shop", "0f", now=NOW),
    lambda tx: api_keys.enable(tx, "shop"),
    lambda tx: audit.add(tx, actor="a", action="b", subject=None, detail=None, now=NOW),
    lambda tx: audit.page(tx, before=None, limit=1),
    lambda tx: audit.page(tx, before=1, limit=1),
    lambda tx: audit.prune(tx, now=NOW, limit=1),
    lambda tx: spending.get(tx, "shop", day=1),
    lambda tx: spending.add(tx, "shop", day=1, videos=1),
    lambda tx: outbox.sendable(tx, now=NOW, limit=1),
    lambda tx: due_attempts.ask_checks_due(tx, P, now=NOW, limit=1),
    lambda tx: put_aside(tx, Kind.VIDEO, "v", "strange", now=NOW),
    lambda tx: unreadable.listed(tx, limit=1),
    lambda tx: unreadable.restore(tx, unreadable.Unreadable(Kind.VIDEO, "v", "strange", NOW)),
    lambda tx: videos.ask_each(tx, ["v"]),
    lambda tx: unreadable.each_of_many(tx, Kind.VIDEO, {"v": unreadable_work}, now=NOW),
    lambda tx: outbox.refuse(tx, outbox.after(tx, seq=0, limit=1)[0], "no", retry_at=NOW),
    lambda tx: announcements.announce(tx, Role.POLLER, [P], now=NOW),
    announcements.announced,
    lambda tx: open_attempts.strangers(tx, [P]),
    lambda tx: answer_shapes.add(tx, SHAPE),
    lambda tx: answer_shapes.count(tx, P),
    lambda tx: answer_shapes.is_kept(tx, P, "s"),
    answer_shapes.listed,
    lambda tx: answer_shapes.remove(tx, P, "s"),
    lambda tx: open_attempts.sending(tx, P, now=NOW),
    lambda tx: open_attempts.unsent_of(tx, P, now=NOW, limit=1),
    lambda tx: open_attempts.sent_of(tx, P, now=NOW, limit=1),
    lambda tx: open_attempts.count_open(tx, P, limit=1),
    lambda tx: due_attempts.bring_near(tx, 1.0, now=NOW),
    lambda tx: circuits.bring_near(tx, 1.0, now=NOW),
    lambda tx: circuits.put_forward(tx, 1.0, now=NOW),
    lambda tx: open_attempts.put_forward(tx, 1.0, now=NOW),
    lambda tx: pauses.get(tx, P),
    lambda tx: pauses.put_forward(tx, 1.0, now=NOW),
    lambda tx: clocks.ahead(tx, "m"),
    lambda tx: pauses.put_back(tx, 1.0, now=NOW),
    lambda tx: clocks.keep(tx, "m", seconds=1.0),
    lambda tx: outbox.bring_near(tx, now=NOW),
    lambda tx: providers.bring_near(tx, 1.0, now=NOW),
    lambda tx: secrets.keep(tx, "webhook", "secret"),
    lambda tx: secrets.get(tx, "webhook"),
    lambda tx: api_keys.disable_one(tx, "shop", "digest", now=NOW),
    lambda tx: due_attempts.to_fetch(
        tx, P, owner="o", now=NOW, forgotten_before=NOW, not_from=["https://pictures.example"], limit=1
    ),
    lambda tx: open_attempts.waiting(tx, P, due_before=NOW, limit=1),
    lambda tx: uploads.copy_body(tx, "nobody", "nobody else"),
    lambda tx: videos.retries_of(tx, "nobody"),
]


class Locking(Tx):
    """A transaction as where rows are locked; SQLite has no words for it."""

    skip_locked = " "

    def __init__(self, tx: Tx) -> None:
        self.execute, self.executemany = tx.execute, tx.executemany


def any_video(tx: Tx) -> str:
    """Give the id of some video without a picture."""
    sql = "SELECT id FROM videos WHERE id NOT IN (SELECT video_id FROM uploads) LIMIT 1"
    video_id: str = tx.execute(sql).fetchone()[0]
    return video_id


def submitted_video(tx: Tx) -> str:
    """Give the id of some video that has an attempt."""
    video_id = any_video(tx)
    tx.execute("UPDATE attempts SET video_id = ? WHERE id = (SELECT MIN(id) FROM attempts)", (video_id,))
    return video_id


def with_metadata(tx: Tx) -> str:
    """Store a video that has everything there is to erase."""
    tx.execute(
        "INSERT INTO videos (id, state, motion, orientation, metadata, choice, fallback, input_image, caller,"
        " created_at, updated_at) VALUES ('whole', 'ready', 'zoom_in', 'landscape', '{\"a\": \"b\"}', 'auto', 1, 'x',"
        " 'c', 0, 0)"
    )
    tx.execute(
        "INSERT INTO attempts (id, video_id, number, provider, state) VALUES ('of it', 'whole', 1, 'iacrea', 'failed')"
    )
    return "whole"


def unreadable_work() -> None:
    """Meet a row that cannot be read."""
    raise ValueError("strange")
