"""A backup that is made and restored by the commands of docs/operating.md is the service again."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.journey.conftest import StartJourney

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()


def _commands(name: str) -> str:
    [commands] = re.findall(rf"<!-- {name} -->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    return str(commands)


def _run(name: str, folder: Path) -> None:
    subprocess.run(["sh", "-ec", _commands(name)], cwd=folder, check=True)


async def test_a_backup_made_while_the_service_runs_can_be_restored(start: StartJourney, picture: bytes) -> None:
    world = await start("run")
    service = world.service
    ready = await service.upload(picture, provider="iacrea")
    await world.ended(ready["id"])
    await world.sandbox.plan("homedesigns", "http-503", count=1)
    open_one = await service.upload(picture, provider="homedesigns")
    _run("backup", service.folder)
    await service.commands[0].stop()
    (service.folder / "reelbus.db").write_bytes(b"overwritten by accident")
    _run("restore", service.folder)
    await service.start("run")

    assert (await service.finished(ready["id"]))["status"] == "ready"
    assert (await service.finished(open_one["id"], within=40))["status"] == "ready"
    assert (await service.http.post(f"/v1/videos/{ready['id']}/redeliver")).status_code == 202
