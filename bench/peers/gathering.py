"""aio-pika as its documentation has it: publish a hundred at a time and gather their confirms.

`python -m bench.peers.gathering URL`: each line of standard input is a count; when so many messages are confirmed,
the seconds of processor time that it took are printed.
"""

import asyncio
import sys
import time

import aio_pika
import uvloop
from aio_pika import DeliveryMode, Message

from bench.consuming import EXCHANGE
from bench.seeding import EVENT

_TOGETHER = 100


async def _main(url: str) -> None:
    connection = await aio_pika.connect(url)
    channel = await connection.channel(publisher_confirms=True)
    exchange = await channel.get_exchange(EXCHANGE)
    loop = asyncio.get_running_loop()
    print("open", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        before = time.process_time()
        for _ in range(int(line) // _TOGETHER):
            messages = [
                Message(EVENT.encode(), delivery_mode=DeliveryMode.PERSISTENT, message_id=str(number))
                for number in range(_TOGETHER)
            ]
            await asyncio.gather(*(exchange.publish(message, "ready.iacrea") for message in messages))
        print(time.process_time() - before, flush=True)


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1]))
