"""Write `first_release.db`: a store as the first release left it, with videos at every point of their lives.

It was made once, by the first release, and stays as it is: later releases must open it. The script stands here
to say what is in it (`python -m tests.store.first_release PATH`).
"""

import asyncio
import sys
from pathlib import Path

from jobs import accept, assignment, check, overdue, submission_claims, submit
from jobs.accept import AcceptedVideo, NewVideo
from jobs.policy import Policy
from providers.reports import Accepted, Failed, NotAcceptedYet, Ready
from schemas.names import Motion, Orientation, Provider, ProviderChoice
from store import attempts, outbox, secrets
from store import webhooks as stored_webhooks
from store.attempts import AttemptRow
from store.database import Store
from store.transaction import Tx
from store.uploads import Upload
from store.webhooks import Delivery

WRITTEN_AT = 1_790_000_000.0
OLD_OWNER = "a process of the first release"
ITS_PROVIDERS = (Provider("iacrea"), Provider("homedesigns"))
"""Those of the first release."""
POLICY = Policy(providers=ITS_PROVIDERS, rates=dict.fromkeys(ITS_PROVIDERS, 100.0))


def request(tx: Tx, note: str, choice: ProviderChoice, *, now: float = WRITTEN_AT) -> str:
    """Accept a video; what it is there for is in its metadata."""
    new = NewVideo(
        motion=Motion.ZOOM_IN, orientation=Orientation.LANDSCAPE, prompt=None, choice=choice,
        fallback=choice == ProviderChoice("auto"), metadata={"why": note}, image_url=None,
        picture=Upload("image/png", 12, None, None), caller="tester", idempotency_key=note, fingerprint=note,
    )  # fmt: skip
    answer = accept.accept(tx, new, lambda video: f"https://us.example/media/{video}", now=now)
    assert isinstance(answer, AcceptedVideo)
    return answer.video.id


def claimed(tx: Tx, note: str, provider: Provider, *, now: float = WRITTEN_AT) -> AttemptRow:
    """Have a video claimed for submission."""
    video_id = request(tx, note, ProviderChoice(provider), now=now)
    assignment.route(tx, POLICY, now=now)
    submission_claims.claim(tx, POLICY, provider, owner=OLD_OWNER, room=100, now=now)
    return attempts.of_videos(tx, [video_id])[video_id][0]


def sending(tx: Tx, note: str, provider: Provider, *, now: float = WRITTEN_AT) -> AttemptRow:
    """Have a video on its way to its provider."""
    attempt = claimed(tx, note, provider, now=now)
    assert submit.send(tx, attempt.id, owner=OLD_OWNER, now=now)
    return attempt


def generating(tx: Tx, note: str, provider: Provider, *, now: float = WRITTEN_AT) -> AttemptRow:
    """Have a video taken by its provider."""
    attempt = sending(tx, note, provider, now=now)
    answer = Accepted(f"job of {note}", 7 if provider == Provider("iacrea") else None)
    submit.accepted(tx, POLICY, attempt, answer, sent_at=now, now=now)
    current = attempts.get(tx, attempt.id)
    assert current is not None
    return current


def fill(tx: Tx) -> None:
    """Make a video for every point of a life."""
    iacrea, homedesigns, now = Provider("iacrea"), Provider("homedesigns"), WRITTEN_AT
    for provider in ITS_PROVIDERS:
        check.apply(
            tx, POLICY, generating(tx, f"{provider}: ready", provider), Ready(("https://cdn.example/v.mp4",)),
            owner=OLD_OWNER, now=now,
        )  # fmt: skip
        check.apply(
            tx, POLICY, generating(tx, f"{provider}: failed", provider), Failed("FAILED"), owner=OLD_OWNER, now=now
        )
        generating(tx, f"{provider}: timed out, still watched", provider, now=now - POLICY.job_timeout - 10)
        submit.not_accepted(
            tx, POLICY, sending(tx, f"{provider}: to be tried again", provider), NotAcceptedYet("503"),
            owner=OLD_OWNER, now=now,
        )  # fmt: skip
    over = overdue.find(tx, POLICY, now=now - 5).attempts
    overdue.give_up(tx, POLICY, [attempt.id for attempt in over], now=now - 5)
    outbox.mark_published(tx, [event.seq for event in outbox.sendable(tx, now=now, limit=5)], now=now)
    for provider in ITS_PROVIDERS:
        generating(tx, f"{provider}: generating", provider)
        sending(tx, f"{provider}: perhaps sent", provider)
        claimed(tx, f"{provider}: claimed", provider)
    submit.mark_outcome_unknown(tx, POLICY, sending(tx, "iacrea: unconfirmed", iacrea), "502", now=now)
    woken = generating(tx, "iacrea: with a webhook nobody handled", iacrea)
    stored_webhooks.record(tx, [Delivery(woken.id, b'{"status": "SUCCEEDED"}', 23, "application/json")], now=now)
    fallen = generating(tx, "homedesigns: failed, with a choice", homedesigns)
    tx.execute("UPDATE videos SET fallback = 1 WHERE id = ?", (fallen.video_id,))
    check.apply(tx, POLICY, fallen, Failed("error"), owner=OLD_OWNER, now=now)
    request(tx, "nobody has looked at it yet", ProviderChoice("auto"))
    secrets.keep(tx, "webhooks", "a secret that signed addresses which are out there")


async def write(path: Path) -> None:
    """Write the file, which must not be there."""
    store = await Store.open(f"sqlite:///{path}")
    await store.write(fill)
    await store.close()


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1])))
