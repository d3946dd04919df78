"""Gather questions about single jobs that come at the same moment into one request about many."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

GATHER_SECONDS = 0.02
"""How long the first question waits for others."""

Answer = TypeVar("Answer")


class Batches(Generic[Answer]):
    """Asks for up to `most` jobs at once. `ask` must answer for each job that it is given, and not raise."""

    def __init__(self, ask: Callable[[list[str]], Awaitable[dict[str, Answer]]], *, most: int) -> None:
        self._ask = ask
        self._most = most
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, job_id: str) -> Answer:
        """Give the answer for one job. Two who ask for the same job share it."""
        future = self._waiting.get(job_id)
        if future is None:
            future = self._waiting[job_id] = asyncio.get_running_loop().create_future()
            if len(self._waiting) == 1:
                self._start(self._gather())
        # One who gives up must not take the answer away from another.
        return await asyncio.shield(future)

    async def close(self) -> None:
        """Drop what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _gather(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        waiting, self._waiting = self._waiting, {}
        job_ids = list(waiting)
        for start in range(0, len(job_ids), self._most):
            part = job_ids[start : start + self._most]
            self._start(self._answer(part, {job_id: waiting[job_id] for job_id in part}))

    async def _answer(self, job_ids: list[str], waiting: dict[str, asyncio.Future[Answer]]) -> None:
        try:
            answers = await self._ask(job_ids)
        except asyncio.CancelledError:
            for future in waiting.values():
                future.cancel()
            raise
        except Exception as error:
            for future in waiting.values():
                if not future.done():
                    future.set_exception(error)
            return
        for job_id, future in waiting.items():
            if not future.done():
                future.set_result(answers[job_id])
