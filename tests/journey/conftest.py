"""The whole service as real processes: stand-ins for the providers, a real broker, and a subscriber."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator

from documents.openapi import events_schema
from reelbus.picture import house
from sandbox.broker.node import Node
from tests.support.broker import Broker, Inbox, sound_broker, subscribe
from tests.support.service import Sandbox, Service
from tests.support.waiting import GIVE_UP_SECONDS, eventually


@dataclass
class Journey:
    """A service with stand-ins for its providers and a subscriber that was there from the start."""

    service: Service
    sandbox: Sandbox
    inbox: Inbox

    async def events(self, video_id: str, *kinds: str, within: float = GIVE_UP_SECONDS) -> list[Any]:
        """Wait until a video's events of these types have arrived, and give all of its events in their order."""

        def mine() -> list[Any]:
            return [event for event in map(decoded, self.inbox.messages) if event["subject"] == video_id]

        await self.inbox.until(lambda _: {event["type"] for event in mine()} >= set(kinds), within=within)
        return mine()

    async def ended(self, video_id: str, within: float = GIVE_UP_SECONDS) -> Any:
        """Wait for a video's terminal event to arrive at the subscriber, and give the video it carries."""

        def last() -> Any:
            mine = [event for event in map(decoded, self.inbox.messages) if event["subject"] == video_id]
            return next((event for event in mine if event["type"] in {"video.ready", "video.failed"}), None)

        await self.inbox.until(lambda _: last() is not None, within=within)
        return last()["data"]

    async def submission(self, video: Any, provider: str | None = None) -> Any:
        """Find what a provider saw of a video's submission."""
        attempts = [attempt for attempt in video["attempts"] if provider in {None, attempt["provider"]}]
        job_id = attempts[-1]["provider_job_id"]
        records = (await self.sandbox.records())["records"]
        return next(record for record in records if record["job_id"] == job_id)


_FITS = Draft202012Validator(events_schema())


def decoded(message: Any) -> Any:
    """Read an event, which must fit the published schema."""
    return _fitting(message.body)


@cache  # those who wait read all that came again with each message
def _fitting(body: bytes) -> Any:
    event = json.loads(body)
    _FITS.validate(event)
    return event


StartJourney = Callable[..., Awaitable[Journey]]


def _tells_no_secret(service: Service) -> None:
    assert service.leaks() == []


async def knows_a_provider(service: Service) -> bool:
    """Say whether a generator has announced a provider: before that a receiver does not know what can be made."""
    shown = (await service.http.get("/v1/status")).json()["providers"]
    return any(state["enabled"] for state in shown.values())


def _starter(stack: AsyncExitStack, folder: Path, broker: Broker) -> StartJourney:
    async def start_world(*roles: str, render_seconds: float = 0.3, **env: str) -> Journey:
        sandbox = await Sandbox.start(folder, render_seconds=render_seconds)
        stack.push_async_callback(sandbox.close)
        exchange = broker.settings().exchange
        settings = {"REELBUS_AMQP_URL": broker.url, "REELBUS_EXCHANGE": exchange, **sandbox.env}
        service = Service(folder, {**settings, **env})
        stack.callback(_tells_no_secret, service)
        stack.push_async_callback(service.close)
        await service.start(*roles)

        async def ready() -> bool:
            known = roles == ("receiver",) or await knows_a_provider(service)
            return known and (await service.http.get("/readyz")).is_success

        await eventually(ready, what="readiness")
        return Journey(service, sandbox, await subscribe(broker, exchange))

    return start_world


@pytest_asyncio.fixture(loop_scope="module")
async def start(tmp_path: Path, broker_node: Node, pytestconfig: pytest.Config) -> AsyncIterator[StartJourney]:
    """Give a function that starts a world of the test's own: roles in processes of their own, with settings."""
    async with AsyncExitStack() as stack:
        yield _starter(stack, tmp_path, await sound_broker(broker_node, pytestconfig))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    tmp_path_factory: pytest.TempPathFactory, broker_node: Node, pytestconfig: pytest.Config
) -> AsyncIterator[Journey]:
    """Give a service that runs all roles in one process, the same to all tests of a file."""
    async with AsyncExitStack() as stack:
        broker = await sound_broker(broker_node, pytestconfig)
        yield await _starter(stack, tmp_path_factory.mktemp("world"), broker)()


@pytest.fixture(scope="session")
def picture() -> bytes:
    """Give a picture that every provider takes."""
    return house()
