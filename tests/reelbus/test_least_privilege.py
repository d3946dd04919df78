"""Receiver and publisher hold no provider's credentials, whatever their environment has."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.broker import Broker
from tests.support.ports import free_port
from tests.support.service import Command, Service
from tests.support.waiting import eventually

SECRET = "the-secret-that-a-provider-gave-us-42"
CREDENTIALS = {
    "REELBUS_IACREA_API_KEY": SECRET,
    "REELBUS_IACREA_USER_ID": "d3b07384-d9a0-4c9b-8f3e-2f1f1b5f7a10",
    "REELBUS_HOMEDESIGNS_TOKEN": SECRET,
}
ASK = ("generator", "poller")
ASK_NOBODY = ("receiver", "publisher")
pytestmark = pytest.mark.timeout(240)


def holds(command: Command, secret: str) -> bool:
    """Say whether a process has some text anywhere in its memory, its first environment included."""
    folder = Path(f"/proc/{command.process.pid}")
    with (folder / "mem").open("rb") as memory:
        for line in (folder / "maps").read_text().splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if found is None or line.endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            begin, end = (int(address, 16) for address in found.groups())
            memory.seek(begin)
            if secret.encode() in memory.read(end - begin):
                return True
    return False


@pytest_asyncio.fixture
async def service(tmp_path: Path, broker: Broker) -> AsyncIterator[Service]:
    names = broker.settings()
    opened = Service(tmp_path, {"REELBUS_AMQP_URL": broker.url, "REELBUS_EXCHANGE": names.exchange}, fresh=True)
    yield opened
    await opened.close()


async def running(service: Service, role: str, **env: str) -> Command:
    """Start one role, and wait until it can be asked for its health: by then it has read its settings."""
    port = free_port()
    [command] = await service.start(role, **env, REELBUS_HEALTH_PORT=str(port))

    async def listens() -> bool:
        assert command.running, service.logs()
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True
        return False

    await eventually(listens, what=f"the start of the {role}")
    return command


@pytest.mark.parametrize("role", [*ASK, *ASK_NOBODY])
async def test_every_role_starts_without_credentials(service: Service, role: str) -> None:
    assert (await running(service, role)).running


@pytest.mark.parametrize("role", ASK_NOBODY)
async def test_who_asks_no_provider_holds_nothing_of_its_environment(service: Service, role: str) -> None:
    assert not holds(await running(service, role, **CREDENTIALS), SECRET)


async def test_who_asks_holds_them(service: Service) -> None:
    assert holds(await running(service, "generator", **CREDENTIALS), SECRET)
