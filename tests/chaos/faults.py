"""What is done to the service, one function a fault: make it, wait, and take it back."""

import asyncio
import json
import random
import secrets
import signal
import sqlite3
from contextlib import closing, suppress
from functools import partial
from typing import Any

import httpx

from tests.chaos import member
from tests.chaos.fleet import ROLES
from tests.chaos.kinds import Kind, kind_in
from tests.chaos.world import PROVIDERS, ChaosService

KINDS: list[Kind] = []
_kind = partial(kind_in, KINDS)


def _killed(role: str) -> None:
    @_kind(f"{role} killed", "roles", 2)
    async def kill(world: ChaosService, chance: random.Random, scale: float) -> None:
        await asyncio.sleep(chance.random())
        await world.fleet.kill(world.fleet.of(role))
        await asyncio.sleep(chance.uniform(0, 1.5) * scale)
        await world.fleet.complete()


_PLACES = {
    "receiver": ("accepted", "webhook recorded"),
    "generator": ("routed", "claimed", "intent written", "answer read", "acceptance recorded"),
    "poller": ("check claimed", "look answered", "settled"),
    "publisher": ("relayed", "confirmed", "marked"),
}


def _dies_at_a_place(role: str) -> None:
    @_kind(f"{role} dies at a named place, twice", "roles", 4)
    async def die(world: ChaosService, chance: random.Random, scale: float) -> None:  # noqa: ARG001 - takes no time of its own
        for place in chance.sample(_PLACES[role], 2):
            await world.fleet.kill(world.fleet.of(role))
            victims = await world.fleet.start(role, REELBUS_TEST_CRASH=f"{place}:{chance.randint(1, 4)}")
            for victim in victims:
                victim.doomed = True
                with suppress(TimeoutError):
                    await asyncio.wait_for(victim.process.wait(), 10)
            await world.fleet.kill(victims)
        await world.fleet.complete()


for _role in ROLES:
    _killed(_role)
    _dies_at_a_place(_role)


@_kind("all roles killed at once", "roles", 3)
async def kill_all(world: ChaosService, chance: random.Random, scale: float) -> None:
    await world.fleet.kill(world.fleet.of(*ROLES))
    await asyncio.sleep(chance.random() * scale)
    await world.fleet.complete()


@_kind("killed again while starting", "roles", 4)
async def crash_loop(world: ChaosService, chance: random.Random, scale: float) -> None:  # noqa: ARG001 - takes no time of its own
    role = chance.choice(ROLES[1:])
    for _ in range(3):
        await world.fleet.kill(world.fleet.of(role))
        await world.fleet.start(role)
        await asyncio.sleep(chance.uniform(0.1, 0.9))
    await world.fleet.complete()


@_kind("two of each role at once", "roles", 8)
async def two_of_each(world: ChaosService, chance: random.Random, scale: float) -> None:
    await world.fleet.start(*ROLES)
    await asyncio.sleep(4 * scale)
    await world.fleet.kill([chance.choice(world.fleet.of(role)) for role in ROLES])
    await world.fleet.complete()


@_kind("roles told to stop, and replaced", "roles", 5)
async def replaced(world: ChaosService, chance: random.Random, scale: float) -> None:  # noqa: ARG001 - takes no time of its own
    for role in chance.sample(ROLES, 2):
        old = world.fleet.of(role)
        await world.fleet.start(role)
        for each in old:
            if (status := await each.end(signal.SIGTERM)) != 0:
                world.fleet.strange_ends.append(f"{role} left with status {status} on SIGTERM")
    await world.fleet.complete()


@_kind("role frozen for longer than its lease", "roles", 14)
async def role_frozen(world: ChaosService, chance: random.Random, scale: float) -> None:
    role = chance.choice(ROLES[1:])
    frozen = world.fleet.of(role)
    for each in frozen:
        each.send(signal.SIGSTOP)
    await world.fleet.start(role)
    await asyncio.sleep(12 if scale >= 1 else 4)
    for each in frozen:
        each.send(signal.SIGCONT)
    await asyncio.sleep(1)
    await world.fleet.kill(frozen)


@_kind("broker killed and restarted", "broker", 7)
async def broker_killed(world: ChaosService, chance: random.Random, scale: float) -> None:
    await world.broker.kill()
    await asyncio.sleep(chance.random() * scale)
    await world.broker.start()


@_kind("broker down for a minute", "broker", 65)
async def broker_down(world: ChaosService, chance: random.Random, scale: float) -> None:  # noqa: ARG001 - nothing is left to chance
    await world.broker.kill()
    await asyncio.sleep(60 * scale)
    await world.broker.start()


@_kind("all broker connections closed", "broker", 1)
async def connections_closed(world: ChaosService, chance: random.Random, scale: float) -> None:  # noqa: ARG001 - as above
    await world.broker.close_all_connections()


@_kind("broker's memory alarm", "broker", 7)
async def memory_alarm(world: ChaosService, chance: random.Random, scale: float) -> None:
    async with world.broker.memory_alarm():
        await asyncio.sleep(chance.uniform(3, 7) * scale)


@_kind("broker frozen and thawed", "broker", 8)
async def broker_frozen(world: ChaosService, chance: random.Random, scale: float) -> None:
    async with world.broker.frozen():
        await asyncio.sleep(chance.uniform(3, 12) * scale)


def _answers(name: str, submission: str, check: str, seconds: float = 4) -> None:
    @_kind(f"provider: {name}", "providers", seconds)
    async def spoil(world: ChaosService, chance: random.Random, scale: float) -> None:
        for provider in chance.sample(PROVIDERS, chance.choice((1, 2))):
            await world.weigh(provider, {submission: 3, "ok": 1})
            await world.sandbox.plan(provider, check, on="check", count=chance.randint(5, 30))
        await asyncio.sleep(seconds * scale)
        await world.usual()


_answers("500", "http-500", "http-500")
_answers("500 after accepting", "http-500-after-accept", "http-502")
_answers("429", "http-429-retry-after", "http-429-retry-after")
_answers("time-out", "hang-after-accept", "hang")
_answers("slow body", "slow-body", "slow-body")
_answers("HTML", "html-200-after-accept", "html-200")
_answers("invalid JSON", "bad-json", "bad-json")
_answers("reset after accepting", "charge-and-drop", "reset")


def _out(name: str, mode: str) -> None:
    @_kind(f"provider: {name}", "providers", 6)
    async def out(world: ChaosService, chance: random.Random, scale: float) -> None:
        for provider in chance.sample(PROVIDERS, chance.choice((1, 2))):
            await world.outage(provider, mode)
        await asyncio.sleep(chance.uniform(3, 8) * scale)
        await world.usual()


_out("outage, 503", "503")
_out("outage, nobody answers", "hang")


@_kind("videos later than their time-out", "providers", 1)
async def late_videos(world: ChaosService, chance: random.Random, scale: float) -> None:  # noqa: ARG001 - as above
    for provider in PROVIDERS:
        late = world.job_timeout + chance.uniform(4, 8)
        await world.sandbox.plan(provider, "stuck-then-late", count=2, seconds=late)


def _kit(name: str, **habits: Any) -> None:
    @_kind(f"kit: {name}", "providers", 5)
    async def spoil(world: ChaosService, chance: random.Random, scale: float) -> None:
        world.kit.spoil(chance, **habits)
        await asyncio.sleep(chance.uniform(4, 7) * scale)
        world.kit.usual()


_kit("answers lost", stories={"drop": 2.0, "500-after": 1.0, "504-after": 1.0, "html": 1.0, "empty": 1.0, "ok": 2.0})
_kit("limits", stories={"limit": 5.0, "ok": 1.0})
_kit("bad signatures", webhooks={"unsigned": 1.0, "changed": 1.0, "old": 1.0, "future": 1.0, "garbled": 1.0})
_kit("outage, 503", outage="503")
_kit("outage, nobody answers", outage="hang")


def _webhooks(name: str, behaviours: dict[str, float]) -> None:
    @_kind(f"webhooks {name}", "providers", 4)
    async def weigh(world: ChaosService, chance: random.Random, scale: float) -> None:
        await world.weigh("iacrea", behaviours)
        await asyncio.sleep(chance.uniform(3, 5) * scale)
        await world.usual()


_webhooks("lost", {"webhook-never": 1, "fail-silently": 0.2})
_webhooks("duplicated", {"webhook-x5": 1, "webhook-twice": 1})
_webhooks("early", {"webhook-before-answer": 1})
_webhooks("out of order", {"webhook-before-ready": 2, "webhook-before-answer": 1, "webhook-late": 1})


@_kind("webhooks forged", "webhooks", 3)
async def forged(world: ChaosService, chance: random.Random, scale: float) -> None:
    """Lie to addresses that we made, and to some that we did not."""
    records = (await world.sandbox.records())["records"][-300:]
    ours = [record["webhook"] for record in records if record["webhook"]]
    foreign = [job_id for job_id in (await _known_job_ids(world)) if job_id]
    lies = [
        {"status": "SUCCEEDED", "urls": ["https://attacker.invalid/video.mp4"]},
        {"status": "FAILED"},
        {"status": "SUCCEEDED", "generation_id": chance.choice(foreign or ["none"]), "urls": []},
        {"generation_id": secrets.token_hex(16), "status": "FAILED"},
        ["SUCCEEDED"],
    ]
    async with httpx.AsyncClient(timeout=10) as http:
        for _ in range(int(60 * scale)):
            token = secrets.token_urlsafe(32)
            with suppress(httpx.TransportError):
                answer = await http.post(f"{world.fleet.receivers[0]}/webhooks/iacrea/{token}", json=lies[0])
                if answer.status_code not in {404, 429, 503}:
                    world.driver.wrong.append(f"a token that is not ours was answered {answer.status_code}")
            if ours:
                with suppress(httpx.TransportError):
                    await http.post(chance.choice(ours), content=json.dumps(chance.choice(lies)))


async def _known_job_ids(world: ChaosService) -> list[str]:
    page = await world.get("/v1/videos", provider="iacrea", limit="100")
    return [video["provider_job_id"] for video in page["items"]]


@_kind("store busy", "store", 7)
async def store_busy(world: ChaosService, chance: random.Random, scale: float) -> None:
    """Hold the one lock that writers need, as a backup or a curious operator would."""
    other = sqlite3.connect(world.fleet.store, timeout=30, isolation_level=None, check_same_thread=False)
    with closing(other):
        await asyncio.to_thread(other.execute, "BEGIN EXCLUSIVE")
        await asyncio.sleep(chance.uniform(3, 8) * scale)
        other.execute("ROLLBACK")


@_kind("store read-only", "store", 4)
async def store_read_only(world: ChaosService, chance: random.Random, scale: float) -> None:
    world.fleet.spoil_store(member.READ_ONLY)
    await asyncio.sleep(chance.uniform(3, 5) * scale)
    world.fleet.heal_store()


@_kind("store full", "store", 4)
async def store_full(world: ChaosService, chance: random.Random, scale: float) -> None:
    world.fleet.spoil_store(member.FULL)
    await asyncio.sleep(chance.uniform(3, 5) * scale)
    world.fleet.heal_store()


@_kind("disk refuses to write", "store", 4)
async def disk_refuses(world: ChaosService, chance: random.Random, scale: float) -> None:
    world.fleet.forbid_writing(forbidden=True)
    await asyncio.sleep(chance.uniform(3, 5) * scale)
    world.fleet.forbid_writing(forbidden=False)
