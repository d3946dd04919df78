"""Keep webhook deliveries: all that come in one turn of the event loop are one piece of work for the store."""

import asyncio
from dataclasses import dataclass, field

from intake.context import Context
from store import webhooks
from store.database import StoreUnavailable
from store.transaction import Signal
from store.webhooks import Delivery


@dataclass(slots=True)
class _Batch:
    """Deliveries that are recorded together, and why they are not, until they are."""

    deliveries: list[Delivery] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = field(default_factory=lambda: StoreUnavailable("the service is stopping"))


class Inbox:
    """The way of deliveries into the store."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._batch: _Batch | None = None
        self._writing: set[asyncio.Task[None]] = set()

    async def record(self, delivery: Delivery) -> None:
        """Return once a delivery is on disk. Raises `StoreUnavailable`, and `Refusal` where too many wait."""
        with self._context.queue:
            batch = self._batch or self._begin()
            batch.deliveries.append(delivery)
            await batch.ended.wait()
        if batch.error is not None:
            raise batch.error

    def _begin(self) -> _Batch:
        """Open a batch, which closes when its writing begins: in the loop's next turn."""
        batch = self._batch = _Batch()
        task = asyncio.create_task(self._write(batch))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return batch

    async def _write(self, batch: _Batch) -> None:
        self._batch = None
        try:
            store = self._context.store
            store.notify(Signal.CHECKS)
            await store.write_small(webhooks.record, batch.deliveries, now=self._context.now())
            batch.error = None
        except Exception as error:  # each who waits raises it
            batch.error = error
        finally:
            batch.ended.set()
