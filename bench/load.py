"""A small HTTP load generator: keep-alive connections that each have one request under way.

As a program it reads one JSON line that describes a load from standard input, works, and prints one JSON line.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from typing import cast

import uvloop

from bench.measures import quantile
from bench.processes import Started
from bench.seeding import attempt_id
from process.tokens import Signer

SECRET = "the benchmarks' own webhook secret"  # noqa: S105 - guards nothing
_PAYLOAD = {
    "id": "0190f2a6-7a3b-7c51-9d0e-2f6a6b2a7c11",
    "status": "SUCCEEDED",
    "output": [f"https://cdn.example/animations/{number:04}/clip.mp4" for number in range(6)],
    "note": "x" * 215,
}
_OVERTAKEN = 500

OPEN_ATTEMPTS = 50_000
"""How many attempts webhooks come for."""

BODY = json.dumps(_PAYLOAD).encode()
"""600 bytes of JSON, as a provider's webhook might bring them."""


@dataclass(frozen=True, slots=True)
class Load:
    """What to send where, for so many seconds or until `count` requests are answered.

    With a `rate` (requests a second) requests start by the clock. Webhooks are those of `OPEN_ATTEMPTS` seeded
    attempts from number `first_attempt` on.
    """

    port: int
    kind: str
    seconds: float
    connections: int = 64
    rate: float | None = None
    count: int | None = None
    first_attempt: int = 0


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back: answers a second, latencies in seconds, and how many were no success."""

    count: int
    seconds: float
    refused: int
    broken: int
    p50: float
    p99: float
    accepted_p99: float

    @property
    def rate(self) -> float:
        """Successful answers a second."""
        return (self.count - self.refused) / self.seconds


def _post(path: str, body: bytes, extra: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{extra}"
    return head.encode() + f"content-length: {len(body)}\r\n\r\n".encode() + body


def _webhooks(first_attempt: int) -> Iterator[bytes]:
    signer = Signer([SECRET])
    # So many attempts that the guard against floods of one has no reason to act. Jobs end about in their order.
    chance = random.Random(first_attempt)  # noqa: S311 - guards nothing
    numbers = range(first_attempt, first_attempt + OPEN_ATTEMPTS)
    order = sorted(numbers, key=lambda number: number + chance.uniform(0, _OVERTAKEN))
    return cycle([_post(f"/webhooks/iacrea/{signer.webhook_token(attempt_id(number))}", BODY) for number in order])


def _videos(_: int) -> Iterator[bytes]:
    wish = {
        "image_url": "https://pictures.example/houses/12/living-room.jpg",
        "motion": "zoom_in",
        "prompt": "slowly towards the window",
        "provider": "iacrea",
        "metadata": {"house": "12", "room": "living room"},
    }
    return cycle([_post("/v1/videos", json.dumps(wish).encode())])


def _plain(_: int) -> Iterator[bytes]:
    return cycle([_post("/", BODY)])


_KINDS: dict[str, Callable[[int], Iterator[bytes]]] = {"webhook": _webhooks, "video": _videos, "plain": _plain}


class _Client(asyncio.Protocol):
    """One connection: sends the next request when the answer to the last has come."""

    def __init__(self, requests: Iterator[bytes], latencies: list[float]) -> None:
        self._requests = requests
        self._latencies = latencies
        self._received = b""
        self._began = 0.0
        self.stopped = False
        self.refused = 0
        self.accepted: list[float] = []
        self.busy = False
        self.lost = False
        self.back: Callable[[_Client], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self.lost = True

    def send(self) -> None:
        """Send the next request."""
        request = next(self._requests, None)
        if request is not None:
            self._began = time.perf_counter()
            self.busy = True
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_end = self._received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._received[:head_end].lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(self._received) < head_end + 4 + length:
            return
        self._received = b""
        took = time.perf_counter() - self._began
        self._latencies.append(took)
        if head[9:10] == b"2":
            self.accepted.append(took)
        else:
            self.refused += 1
        self.busy = False
        if self.back is not None:
            self.back(self)
        elif not self.stopped:
            self.send()


async def _generate(load: Load) -> Answers:
    latencies: list[float] = []
    requests = islice(_KINDS[load.kind](load.first_attempt), load.count)
    loop = asyncio.get_running_loop()
    clients = [_Client(requests, latencies) for _ in range(load.connections)]
    for client in clients:
        await loop.create_connection(lambda made=client: made, "127.0.0.1", load.port)  # type: ignore[misc]  # a default binds the loop's variable
    began = time.perf_counter()
    if load.rate is None:
        for client in clients:
            client.send()
        while time.perf_counter() - began < load.seconds and (load.count is None or len(latencies) < load.count):  # noqa: ASYNC110 - a glance now and then costs less than an event a request
            await asyncio.sleep(0.01)
    else:
        await _by_the_clock(clients, load.rate, load.seconds)
    for client in clients:
        client.stopped = True
    seconds = time.perf_counter() - began
    count, refused = len(latencies), sum(client.refused for client in clients)
    await _drain(clients)
    accepted = [took for client in clients for took in client.accepted]
    return Answers(
        count=count,
        seconds=seconds,
        refused=refused,
        broken=sum(client.lost for client in clients),
        p50=quantile(latencies or [0.0], 0.5),
        p99=quantile(latencies or [0.0], 0.99),
        accepted_p99=quantile(accepted or [0.0], 0.99),
    )


async def _by_the_clock(clients: list[_Client], rate: float, seconds: float) -> None:
    """Start requests at their times, whatever the answers do, as far as there are connections."""
    idle = list(clients)
    for client in clients:
        client.back = idle.append
    began = time.perf_counter()
    for number in range(int(rate * seconds)):
        wait = began + number / rate - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        elif number % 50 == 0:
            await asyncio.sleep(0)
        if idle:
            idle.pop().send()


async def _drain(clients: list[_Client]) -> None:
    deadline = time.perf_counter() + 10
    while any(client.busy and not client.lost for client in clients) and time.perf_counter() < deadline:  # noqa: ASYNC110 - a glance now and then costs less than an event a request
        await asyncio.sleep(0.02)


class Generator:
    """A load generator's process, ready for any number of loads."""

    def __init__(self, started: Started) -> None:
        self._started = started

    def drive(self, load: Load) -> Answers:
        """Generate a load and give what came of it."""
        self.begin(load)
        return self.end()

    def begin(self, load: Load) -> None:
        """Begin to generate a load."""
        self._started.tell(json.dumps(asdict(load)))

    def end(self) -> Answers:
        """Wait for the end of the load that was begun."""
        return Answers(**json.loads(self._started.line()))


def main() -> None:
    """Generate one load after the other."""
    for line in sys.stdin:
        print(json.dumps(asdict(uvloop.run(_generate(Load(**json.loads(line)))))), flush=True)


if __name__ == "__main__":
    main()
