"""A provider that answers at once: IACrea's three requests, as small as HTTP allows, so that it is never in the way.

`python -m bench.standin PORT`: a job is done as soon as it is submitted, and its webhook is sent.
"""

import asyncio
import json
import sys
from typing import cast
from urllib.parse import urlsplit
from uuid import uuid4

import uvloop

_DONE = json.dumps({"status": "SUCCEEDED", "urls": ["https://cdn.example/animations/clip.mp4"]}).encode()


def _response(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


class _Webhooks:
    """Sends webhooks over a few kept connections."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._senders: list[asyncio.Task[None]] = []

    def send(self, url: str) -> None:
        """Send a webhook soon."""
        if not self._senders:
            address = urlsplit(url)
            self._senders = [asyncio.create_task(self._sender(address.port or 80)) for _ in range(8)]
        self._waiting.put_nowait(urlsplit(url).path)

    async def _sender(self, port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            path = await self._waiting.get()
            head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            writer.write(head.encode() + b"content-length: %d\r\n\r\n%b" % (len(_DONE), _DONE))
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)


class _Connection(asyncio.Protocol):
    def __init__(self, webhooks: _Webhooks) -> None:
        self._webhooks = webhooks
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ended, body = self._received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        if not ended or len(body) < length:
            return
        self._received = b""
        self._transport.write(_response(self._answer(head, body)))

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if b"/generate" not in head.split(b"\r\n", 1)[0]:
            return _DONE
        self._webhooks.send(json.loads(body)["webhook"])
        return json.dumps({"generation_id": str(uuid4()), "remaining_videos": 100_000, "project_id": "p"}).encode()


async def _serve(port: int) -> None:
    webhooks = _Webhooks()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(webhooks), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
