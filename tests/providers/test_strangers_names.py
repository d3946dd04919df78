"""A dead name server of strangers' hosts holds up neither the providers' work nor anything else."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from providers.http.names import MAX_THREADS, NameThreads
from providers.http.pictures import PictureUnavailable, fetch_picture
from providers.reports import Accepted
from tests.providers.conftest import MakeClient, MakePeer
from tests.providers.orders import PATIENT, Marker, an_order
from tests.providers.peer import says

JOB = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"


class DeadNameServer:
    """Answers nothing until it is released."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.released = threading.Event()

    def __call__(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        self.released.wait(60)
        return ["127.0.0.1"]


@pytest.fixture
def dead() -> Iterator[DeadNameServer]:
    server = DeadNameServer()
    yield server
    server.released.set()


async def fetch(number: int, names: NameThreads) -> bytes:
    url = f"http://hang{number}.example/a.png"
    return await fetch_picture(url, resolver=names, allow_private=True, max_bytes=99, timeout=PATIENT)


async def test_a_hundred_hosts_of_a_dead_name_server_delay_no_provider(
    peer: MakePeer, client: MakeClient, dead: DeadNameServer
) -> None:
    server = await peer(says(200, {"generation_id": JOB, "id": JOB}))
    names, threads = NameThreads(dead), threading.active_count()
    fetches = [asyncio.create_task(fetch(number, names)) for number in range(100)]
    while len(dead.asked) < MAX_THREADS:
        await asyncio.sleep(0.001)
    began = time.monotonic()
    result = await client(f"http://localhost:{server.port}").submit(an_order(), before_first_byte=Marker())
    assert isinstance(result, Accepted)
    assert await asyncio.to_thread(lambda: "anything else") == "anything else"
    assert time.monotonic() - began < PATIENT / 2
    assert len(dead.asked) == MAX_THREADS
    assert threading.active_count() <= threads + MAX_THREADS + 1
    for task in fetches:
        task.cancel()
    await asyncio.gather(*fetches, return_exceptions=True)


async def test_a_look_up_ends_in_time_and_its_thread_is_used_again_when_it_is_free(dead: DeadNameServer) -> None:
    names = NameThreads(dead, deadline=0.1)
    results = await asyncio.gather(*(fetch(number, names) for number in range(10)), return_exceptions=True)
    assert all(isinstance(result, PictureUnavailable) for result in results), results
    assert len(dead.asked) == MAX_THREADS
    dead.released.set()
    async with asyncio.timeout(PATIENT):
        while await names_free(names) is None:
            await asyncio.sleep(0.01)


async def names_free(names: NameThreads) -> list[str] | None:
    try:
        return await names("host.example", 80)
    except TimeoutError:
        return None
