"""Send webhooks by the clock and hear of their events: how long from the one to the other.

`python -m bench.latency URL EXCHANGE PORT RATE SECONDS` does it for the service: it submits videos whose webhooks it
keeps back, by standing in for their provider itself. With PORT 0 messages are only published and consumed.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable

import aiormq
import uvloop
from aiormq.abc import DeliveredMessage
from pamqp.commands import Basic

from bench.load import SECRET
from bench.seeding import attempt_id, video_id
from process.tokens import Signer


class _Heard:
    """When which video was heard of."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    async def take(self, message: DeliveredMessage) -> None:
        """Note a message by its correlation id."""
        self.at.setdefault(str(message.header.properties.correlation_id), time.perf_counter())


async def _by_the_clock(send: Callable[[int], Awaitable[None]], rate: float, seconds: float) -> dict[str, float]:
    sent: dict[str, float] = {}
    began = time.perf_counter()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        sent[video_id(number)] = time.perf_counter()
        await send(number)
    return sent


async def _webhook_sender(port: int) -> Callable[[int], Awaitable[None]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    signer = Signer([SECRET])

    async def send(number: int) -> None:
        path = f"/webhooks/iacrea/{signer.webhook_token(attempt_id(number))}"
        writer.write(f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\n{{}}".encode())
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(2)

    return send


async def _main(url: str, exchange: str, port: int, rate: float, seconds: float) -> None:
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    await channel.exchange_declare(exchange, exchange_type="topic", durable=True)
    queue = (await channel.queue_declare("", exclusive=True, auto_delete=True)).queue or ""
    await channel.queue_bind(queue, exchange, routing_key="#")
    heard = _Heard()
    await channel.basic_consume(queue, heard.take, no_ack=True)

    async def publish(number: int) -> None:
        properties = Basic.Properties(correlation_id=video_id(number), delivery_mode=2)
        await channel.basic_publish(b"{}" * 600, exchange=exchange, routing_key="ready.iacrea", properties=properties)

    send = await _webhook_sender(port) if port else publish
    sent = await _by_the_clock(send, rate, seconds)
    deadline = time.perf_counter() + 20
    while len(heard.at) < len(sent) and time.perf_counter() < deadline:  # noqa: ASYNC110 - a glance now and then costs less than an event a request
        await asyncio.sleep(0.05)
    late = sorted(heard.at[key] - at for key, at in sent.items() if key in heard.at)
    missing = len(sent) - len(late)
    print(json.dumps({"p50": late[len(late) // 2], "p99": late[int(len(late) * 0.99)], "missing": missing}), flush=True)


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])))
