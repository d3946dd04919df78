"""A store that the first release wrote opens in this one, and every video in it goes on to its one end."""

import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jobs import feed, view
from schemas.event import Event
from schemas.names import ProviderChoice
from store import outbox, secrets
from store.attempts import AttemptState
from store.database import Store
from store.transaction import Tx
from store.video_lists import EVERY
from tests.store.earlier import copy_to_postgres
from tests.store.first_release import WRITTEN_AT, request
from tests.store.living_on import live_on
from tests.support.stores import url_of

WRITTEN = Path(__file__).with_name("first_release.db")
VIDEOS = 18


@pytest.fixture(params=["sqlite", "postgresql"])
async def old(request: pytest.FixtureRequest, path: Path) -> AsyncIterator[Store]:
    """Open a copy of the old store, which upgrades its tables: in its file, or as it would be in PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(WRITTEN, path)
        url = url_of(path)
    else:
        url = request.getfixturevalue("postgres").new()
        copy_to_postgres(WRITTEN, url)
    store = await Store.open(url)
    yield store
    await store.close()


async def test_every_video_goes_on_to_one_end(old: Store) -> None:
    for step in range(40):
        await old.write(live_on, WRITTEN_AT + 10 * step)

    page = await old.read(view.page, EVERY, cursor=None, limit=200)
    events = await old.read(outbox.after, seq=0, limit=1000)
    ends = Counter(event.video_id for event in events if event.type in {"video.ready", "video.failed"})
    assert ends == Counter({video.id: 1 for video in page.items})
    assert len(page.items) == VIDEOS
    assert {video.metadata["why"]: video.status for video in page.items if video.status == "failed"} == {
        "iacrea: failed": "failed",
        "homedesigns: failed": "failed",
        "iacrea: timed out, still watched": "failed",
        "homedesigns: timed out, still watched": "failed",
        "homedesigns: perhaps sent": "failed",
        "iacrea: perhaps sent": "failed",
        "iacrea: unconfirmed": "failed",
    }
    assert sum(event.type == "video.late" for event in events) == 2


async def test_its_events_are_still_what_they_were_and_can_be_delivered_again(old: Store) -> None:
    events = await old.read(outbox.after, seq=0, limit=1000)
    assert all(Event.model_validate_json(event.body).id == event.event_id for event in events)
    ended = next(event for event in events if event.type == "video.ready")
    assert await old.write(feed.redeliver, ended.video_id) == ended.event_id


async def test_its_idempotency_keys_and_secrets_still_stand(old: Store) -> None:
    assert (
        await old.write(secrets.keep, "webhooks", "a new one") == "a secret that signed addresses which are out there"
    )

    def again(tx: Tx) -> str:
        return request(tx, "nobody has looked at it yet", ProviderChoice("auto"))

    repeated = await old.write(again)
    assert (await old.read(view.existing, repeated)).metadata == {"why": "nobody has looked at it yet"}
    page = await old.read(view.page, EVERY, cursor=None, limit=200)
    assert len(page.items) == VIDEOS


async def test_it_holds_an_attempt_in_every_state(old: Store) -> None:
    def states(tx: Tx) -> set[str]:
        return {row[0] for row in tx.execute("SELECT DISTINCT state FROM attempts").fetchall()}

    assert await old.read(states) == set(AttemptState)


async def test_its_videos_are_found_by_their_metadata(old: Store) -> None:
    everything = await old.read(view.page, EVERY, cursor=None, limit=200)
    for video in everything.items:
        page = await old.read(view.page, EVERY._replace(metadata=video.metadata), cursor=None, limit=200)
        assert video.id in {found.id for found in page.items}
    assert {len(video.metadata) for video in everything.items} == {1}
