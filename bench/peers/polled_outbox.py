"""Starlette and SQLAlchemy: a transaction a request writes a row and an outbox row; a loop polls and publishes."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from aio_pika import DeliveryMode, Message
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.peers.floor import serve


class Base(DeclarativeBase):
    """The tables."""


class Webhook(Base):
    """What came."""

    __tablename__ = "webhooks"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str]


class Outbox(Base):
    """What is to be published."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str]
    published: Mapped[bool] = mapped_column(default=False, index=True)


ENGINE = create_async_engine(f"sqlite+aiosqlite:///{sys.argv[3]}/peer.db")
SESSIONS = async_sessionmaker(ENGINE, expire_on_commit=False)


@event.listens_for(ENGINE.sync_engine, "connect")
def durable(connection: object, _record: object) -> None:
    """Sync at every commit, with the write-ahead log, as the service does."""
    cursor = connection.cursor()  # type: ignore[attr-defined]  # whatever the driver's connection is
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA busy_timeout = 20000")
    cursor.close()


async def take(request: Request) -> Response:
    """Parse the body and store it, with its event."""
    body = (await request.body()).decode()
    json.loads(body)
    async with SESSIONS() as session, session.begin():
        session.add(Webhook(body=body))
        session.add(Outbox(body=body))
    return Response(b"{}", media_type="application/json")


async def relay(exchange: aio_pika.abc.AbstractExchange) -> None:
    """Publish what waits, in batches, and mark it."""
    while True:
        async with SESSIONS() as session:
            found = await _publish(session, exchange)
        if not found:
            await asyncio.sleep(0.1)


async def _publish(session: AsyncSession, exchange: aio_pika.abc.AbstractExchange) -> int:
    waiting = (await session.scalars(select(Outbox).where(Outbox.published.is_(False)).limit(100))).all()
    messages = [Message(row.body.encode(), delivery_mode=DeliveryMode.PERSISTENT) for row in waiting]
    await asyncio.gather(*(exchange.publish(message, "ready.iacrea") for message in messages))
    for row in waiting:
        row.published = True
    await session.commit()
    return len(waiting)


@asynccontextmanager
async def connected(_app: Starlette) -> AsyncIterator[None]:
    """Make the tables, connect, and run the relay."""
    async with ENGINE.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    rabbit = await aio_pika.connect_robust(sys.argv[2])
    channel = await rabbit.channel(publisher_confirms=True)
    exchange = await channel.declare_exchange("peers", "topic", durable=True)
    queue = await channel.declare_queue("peers", durable=True, arguments={"x-queue-type": "quorum"})
    await queue.bind(exchange, "#")
    relaying = asyncio.create_task(relay(exchange))
    yield
    relaying.cancel()
    await rabbit.close()


if __name__ == "__main__":
    serve(Starlette(routes=[Route("/", take, methods=["POST"])], lifespan=connected), int(sys.argv[1]))
