"""A handler of commands, and a microservice that sends them."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aio_pika import Message
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity

from intake.commands import Reply
from publisher.command_processing import Command
from publisher.topology import COMMANDS, DEAD_QUEUE, SUBMIT_KEY, SUBMIT_QUEUE
from tests.support.broker import Broker, Inbox
from tests.support.waiting import eventually

GOOD = {"image_url": "https://images.example/room.jpg", "motion": "zoom_in"}
PROBLEM = {"code": "invalid_request", "detail": "motion is missing", "status": 422}
UNREADABLE = {"code": "bad_request", "detail": "the body is not JSON", "status": 400}


@dataclass
class Door:
    """A handler that accepts what has a motion, one video for each message id."""

    calls: list[Command] = field(default_factory=list)
    videos: dict[str | None, str] = field(default_factory=dict)
    before: Callable[[Command], Awaitable[None]] | None = None

    async def __call__(self, command: Command) -> Reply:
        self.calls.append(command)
        if self.before is not None:
            await self.before(command)
        try:
            fields = json.loads(command.body)
        except ValueError:
            return Reply(UNREADABLE, accepted=False, readable=False)
        if "motion" not in fields:
            return Reply(PROBLEM, accepted=False)
        video_id = self.videos.setdefault(command.message_id, str(uuid4()))
        return Reply({"id": video_id, "status": "accepted"}, accepted=True)


@dataclass
class Client:
    """A microservice: it publishes commands and reads the replies."""

    broker: Broker
    replies: Inbox

    async def send(self, body: object, *, answer: bool = True, **properties: Any) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        if answer:
            properties.setdefault("reply_to", self.replies.queue)
        async with self.broker.channel() as channel:
            exchange = await channel.get_exchange(COMMANDS, ensure=False)
            await exchange.publish(Message(raw, **properties), SUBMIT_KEY)

    async def reply(self) -> tuple[AbstractIncomingMessage, Any]:
        await self.replies.take(len(self.replies.messages) + 1)
        message = self.replies.messages[-1]
        return message, json.loads(message.body)


async def consumed(broker: Broker) -> None:
    """Wait until the room takes commands."""

    async def there() -> bool:
        async with broker.channel() as channel:
            with suppress(ChannelNotFoundEntity):
                queue = await channel.declare_queue(SUBMIT_QUEUE, passive=True)
                return bool(queue.declaration_result.consumer_count)
        return False

    await eventually(there)


def dead(broker: Broker) -> Inbox:
    return Inbox(broker, DEAD_QUEUE)


async def all_acknowledged(broker: Broker) -> None:
    """Wait until no command is in the queue or in anybody's hand."""

    async def none_left() -> bool:
        return await broker.unacknowledged(SUBMIT_QUEUE) == 0

    await eventually(none_left, what="an empty queue of commands")
