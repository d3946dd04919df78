"""A backup that is made and restored by the commands of docs/operating.md is the service again."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest

from setup.postgres.binaries import environment, locate
from tests.journey.conftest import Journey, StartJourney
from tests.support.postgres import Postgres

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

PAGE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()


def _commands(name: str) -> str:
    [commands] = re.findall(rf"<!-- {name} -->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    return str(commands)


def _run(name: str, folder: Path, **env: str) -> None:
    subprocess.run(["sh", "-ec", _commands(name)], cwd=folder, check=True, env={**os.environ, **env})


async def _make_two(world: Journey, picture: bytes) -> tuple[str, str]:
    """Make a video that is ready, and one that waits because its provider is paused."""
    ready = await world.service.upload(picture, provider="iacrea")
    await world.ended(ready["id"])
    (await world.service.http.post("/v1/providers/homedesigns/pause")).raise_for_status()
    waiting = await world.service.upload(picture, provider="homedesigns")
    return ready["id"], waiting["id"]


async def _is_the_service_again(world: Journey, ready: str, waiting: str) -> None:
    service = world.service
    assert (await service.finished(ready))["status"] == "ready"
    assert (await service.video(waiting))["completed_at"] is None
    (await service.http.post("/v1/providers/homedesigns/resume")).raise_for_status()
    assert (await service.finished(waiting))["status"] == "ready"
    assert (await service.http.post(f"/v1/videos/{ready}/redeliver")).status_code == 202


async def test_a_backup_made_while_the_service_runs_can_be_restored(start: StartJourney, picture: bytes) -> None:
    world = await start("run")
    ready, waiting = await _make_two(world, picture)
    _run("backup", world.service.folder)
    await world.service.commands[0].stop()
    (world.service.folder / "reelbus.db").write_bytes(b"overwritten by accident")
    _run("restore", world.service.folder)
    await world.service.start("run")

    await _is_the_service_again(world, ready, waiting)


async def test_a_backup_of_postgresql_made_while_the_service_runs_can_be_restored(
    start: StartJourney, picture: bytes, postgres: Postgres
) -> None:
    url = postgres.new()
    programs: Mapping[str, str] = {
        **environment(locate()),
        "PATH": f"{locate().folder}:{os.environ['PATH']}",
        "REELBUS_DATABASE_URL": url,
    }
    world = await start("run", REELBUS_DATABASE_URL=url)
    ready, waiting = await _make_two(world, picture)
    _run("backup-postgresql", world.service.folder, **programs)
    later = await world.service.upload(picture, provider="iacrea")
    await world.service.commands[0].stop()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE videos SET state = 'failed'")
        connection.execute("DELETE FROM outbox")
    _run("restore-postgresql", world.service.folder, **programs)
    await world.service.start("run")

    await _is_the_service_again(world, ready, waiting)
    assert (await world.service.http.get(f"/v1/videos/{later['id']}")).status_code == 404
