"""Send webhooks the way the providers' peers do: one try, a short time limit, no signature."""

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass

from sandbox.loopback import Loopback, Unreachable
from sandbox.records import Submission


@dataclass(frozen=True, slots=True)
class Call:
    """What one webhook carries."""

    body: bytes
    content_type: str


class Webhooks:
    """Sends webhooks, a limited number at once, and notes on each submission how they were met."""

    def __init__(self, loopback: Loopback, *, in_flight: int, timeout: float) -> None:
        self._loopback = loopback
        self._turn = asyncio.Semaphore(in_flight)
        self._timeout = timeout
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: dict[str, asyncio.Event] = {}

    @property
    def held(self) -> list[str]:
        """The beginnings of the addresses whose webhooks wait."""
        return list(self._held)

    def hold(self, address: str) -> None:
        """Keep the webhooks to addresses that begin so, until they are released."""
        self._held.setdefault(address, asyncio.Event())

    def release(self, address: str) -> None:
        """Send what was held, and hold no more."""
        if address in self._held:
            self._held.pop(address).set()

    async def send(self, submission: Submission, call: Call) -> None:
        """Call the submission's webhook once and note the answer."""
        if not submission.webhook:
            return
        for address, released in list(self._held.items()):
            if submission.webhook.startswith(address):
                await released.wait()
        async with self._turn:
            at = time.time()
            try:
                answer: int | str = await self._loopback.post(
                    submission.webhook, call.body, call.content_type, timeout=self._timeout
                )
            except Unreachable as error:
                answer = str(error)
            submission.heard(at, answer)

    def soon(self, work: Coroutine[object, object, None]) -> None:
        """Do something beside the requests, and drop it when the stand-in stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Drop what is still under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
