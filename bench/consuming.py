"""A subscriber in a process of its own: told to count, it says when so many events have come.

`python -m bench.consuming URL EXCHANGE`: each line of standard input is a number; when so many more events have
come, the Unix time of the last one is printed. The first line printed says that the queue is bound.
"""

import asyncio
import sys
import time

import aiormq
import uvloop
from aiormq.abc import DeliveredMessage

EXCHANGE = "video.events"


async def _consume(url: str, exchange: str) -> None:
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    await channel.exchange_declare(exchange, exchange_type="topic", durable=True)
    queue = (await channel.queue_declare("", exclusive=True, auto_delete=True)).queue or ""
    await channel.queue_bind(queue, exchange, routing_key="#")
    counts: list[int] = [0]
    wanted: list[tuple[int, asyncio.Event]] = []

    async def take(message: DeliveredMessage) -> None:  # noqa: ARG001 - only counted
        counts[0] += 1
        if wanted and counts[0] >= wanted[0][0]:
            wanted[0][1].set()

    await channel.basic_consume(queue, take, no_ack=True)
    print("bound", flush=True)
    loop = asyncio.get_running_loop()
    counted = 0
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        counted += int(line)
        enough = asyncio.Event()
        wanted.append((counted, enough))
        if counts[0] < counted:
            await enough.wait()
        wanted.clear()
        print(time.time(), flush=True)


if __name__ == "__main__":
    uvloop.run(_consume(sys.argv[1], sys.argv[2]))
