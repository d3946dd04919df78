"""What one poller has seen every poller knows, also after a restart; and only what is new is told."""

import importlib.metadata
from pathlib import Path

import pytest

from poller.drift import DriftSentinel
from providers.http.seen import SeenAnswer
from schemas.names import Provider
from store import answer_shapes
from store.database import Store
from tests.support.stores import url_of

IACREA = Provider("iacrea")
USUAL = SeenAnswer(200, "application/json", b'{"status": "IN_PROGRESS"}')
PAUSED = SeenAnswer(200, "application/json", b'{"status": "PAUSED", "for": "ann@example.com"}')


async def test_a_shape_is_kept_once_for_all_pollers_and_restarts(tmp_path: Path) -> None:
    for _ in range(2):  # a restart
        store = await Store.open(url_of(tmp_path / "reelbus.db"))
        for sentinel in (DriftSentinel(store), DriftSentinel(store)):
            sentinel.watch(IACREA, [USUAL, PAUSED, PAUSED], "working")
            await sentinel.keep()
            await sentinel.keep()
        await store.close()
    store = await Store.open(url_of(tmp_path / "reelbus.db"))
    [kept] = await store.read(answer_shapes.listed)
    assert (kept.provider, kept.seen, kept.read_as) == (IACREA, 8, "working")
    assert kept.body == '{"for": "<text>", "status": "PAUSED"}'
    await DriftSentinel(store).compare()
    assert len(await store.read(answer_shapes.listed)) == 1
    await store.close()


async def test_an_upgrade_that_documents_a_shape_forgets_it(tmp_path: Path) -> None:
    store = await Store.open(url_of(tmp_path / "reelbus.db"))
    sentinel = DriftSentinel(store)
    sentinel.watch(IACREA, [PAUSED], "working")
    await sentinel.keep()
    [kept] = await store.read(answer_shapes.listed)
    usual = '{"status": "IN_PROGRESS"}'
    await store.write(answer_shapes.add, kept._replace(shape="as documented later", body=usual))
    await sentinel.compare()
    assert [row.shape for row in await store.read(answer_shapes.listed)] == [kept.shape]
    await store.close()


async def test_many_answers_of_an_undocumented_shape_look_for_our_release_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await Store.open(url_of(tmp_path / "reelbus.db"))
    sentinel = DriftSentinel(store)
    monkeypatch.setattr(importlib.metadata, "distribution", None)  # it reads files, on the event loop
    sentinel.watch(IACREA, [PAUSED] * 10, "working")
    assert {sighting.release for sighting in sentinel.sightings} == {importlib.import_module("reelbus").__version__}
    await store.close()
