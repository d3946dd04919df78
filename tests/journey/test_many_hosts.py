"""Two hosts over one PostgreSQL: what one takes in, the other makes, serves and hears of."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from setup.pooler import Pooler
from tests.journey.conftest import StartJourney, knows_a_provider
from tests.support.postgres import Postgres
from tests.support.service import Service
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def pooler(postgres: Postgres) -> Iterator[Pooler]:
    with Pooler(postgres.server, connections=4) as started:
        yield started


async def test_what_is_uploaded_at_one_host_is_made_and_served_by_another(
    start: StartJourney, picture: bytes, postgres: Postgres, tmp_path: Path
) -> None:
    world = await start("receiver", REELBUS_DATABASE_URL=postgres.new())
    settings = {name: value for name, value in world.service.env.items() if name != "REELBUS_PORT"}
    (tmp_path / "other-host").mkdir()
    other = Service(tmp_path / "other-host", settings)
    try:
        await other.start("run")
        await eventually(lambda: knows_a_provider(world.service), what="the other host's generator")
        by_webhook = await world.service.upload(picture, provider="iacrea")
        by_poll = await world.service.upload(picture, provider="homedesigns")
        ended = await world.ended(by_webhook["id"])
        assert (ended["status"], ended["detected_by"]) == ("ready", "webhook")  # it came to the other's receiver
        assert (await world.ended(by_poll["id"]))["status"] == "ready"
        assert await other.video(by_webhook["id"]) == await world.service.video(by_webhook["id"])
        served = await other.http.get(urlsplit(ended["input_image"]).path)
        assert served.content == picture
    finally:
        await other.close()


async def test_failures_and_refunds_are_told_over_postgresql_too(
    start: StartJourney, picture: bytes, postgres: Postgres
) -> None:
    world = await start(REELBUS_DATABASE_URL=postgres.new())
    await world.sandbox.plan("iacrea", "fail")
    video = await world.service.upload(picture, provider="iacrea")
    ended = await world.ended(video["id"])
    assert (ended["status"], ended["refund"]) == ("failed", {"status": "refunded", "credits": 1})
    redelivered = await world.service.http.post(f"/v1/videos/{video['id']}/redeliver")
    assert redelivered.status_code == 202
    refused = await world.service.submit(image_url="https://pictures.example/a.png", prompt="a\0b", status=422)
    assert refused["errors"][0]["field"] == "prompt"


async def test_a_video_is_made_through_a_pooler_in_transaction_mode(
    pooler: Pooler, start: StartJourney, picture: bytes, postgres: Postgres
) -> None:
    world = await start(REELBUS_DATABASE_URL=pooler.url(postgres.new().rpartition("/")[2]))
    by_webhook = await world.service.upload(picture, provider="iacrea")
    by_poll = await world.service.upload(picture, provider="homedesigns")
    assert (await world.ended(by_webhook["id"]))["detected_by"] == "webhook"
    assert (await world.ended(by_poll["id"]))["status"] == "ready"
