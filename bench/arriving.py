"""Ask for videos at random times, whatever the answers do, and hear of their ends: the whole way from outside.

`python -m bench.arriving URL EXCHANGE PORT`: each line of standard input is a rate and seconds; when all events have
come, or none more within ten seconds, a line of JSON gives when each video was asked for and heard of (Unix seconds).
"""

import asyncio
import json
import random
import sys
import time

import aiohttp
import aiormq
import uvloop
from aiormq.abc import DeliveredMessage

_PATIENCE = 10.0
_WISH = {"image_url": "https://pictures.example/house.jpg", "motion": "zoom_in", "provider": "iacrea"}


class _World:
    """What was asked for, and what was heard of."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/v1/videos"
        self.asked: dict[str, float] = {}
        self.heard: dict[str, float] = {}
        self.refused = 0
        self.last = time.monotonic()

    async def take(self, message: DeliveredMessage) -> None:
        """Note a video's end."""
        if message.header.properties.message_type != "video.ready":
            return
        self.heard.setdefault(str(message.header.properties.correlation_id), time.time())
        self.last = time.monotonic()

    async def ask(self, session: aiohttp.ClientSession) -> None:
        """Ask for one video."""
        began = time.time()
        async with session.post(self._url, json=_WISH) as response:
            answer = await response.json()
        if response.status == 202:
            self.asked[answer["id"]] = began
        else:
            self.refused += 1

    async def round(self, rate: float, seconds: float) -> dict[str, object]:
        """Ask by a random clock; give what became of it."""
        self.asked.clear()
        self.heard.clear()
        chance = random.Random(rate)  # noqa: S311 - guards nothing
        began = time.monotonic()
        at = began
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)) as session,
            asyncio.TaskGroup() as all_,
        ):
            while at < began + seconds:
                await asyncio.sleep(at - time.monotonic())
                all_.create_task(self.ask(session))
                at += chance.expovariate(rate)
        self.last = time.monotonic()
        while self.asked.keys() - self.heard.keys() and time.monotonic() < self.last + _PATIENCE:  # noqa: ASYNC110 - a glance now and then costs less than an event a message
            await asyncio.sleep(0.05)
        return {"asked": self.asked, "heard": self.heard, "refused": self.refused}


async def _main(url: str, exchange: str, port: int) -> None:
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    await channel.exchange_declare(exchange, exchange_type="topic", durable=True)
    queue = (await channel.queue_declare("", exclusive=True, auto_delete=True)).queue or ""
    await channel.queue_bind(queue, exchange, routing_key="#")
    world = _World(port)
    await channel.basic_consume(queue, world.take, no_ack=True)
    print("bound", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        rate, seconds = map(float, line.split())
        print(json.dumps(await world.round(rate, seconds)), flush=True)


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
