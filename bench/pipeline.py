"""Goals 9 to 11: a question to a provider, the whole way of a video, and how soon a webhook becomes an event."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.consuming import EXCHANGE
from bench.load import Load
from bench.measures import Row, ratios
from bench.processes import Started, free_port
from bench.seeding import create, seed_open
from bench.setting import Setting, measure

_RATE, _SECONDS = 50, 4


@contextmanager
def standin(setting: Setting) -> Iterator[int]:
    """Run a provider that answers at once, and give its port."""
    port = free_port()
    with Started(["bench.standin", str(port)], folder=setting.folder) as started:
        started.wait_for_port(port)
        yield port


def provider_settings(port: int) -> dict[str, str]:
    """Give the settings that make the service use the provider on a port."""
    return {
        "REELBUS_IACREA_URL": f"http://127.0.0.1:{port}",
        "REELBUS_IACREA_RATE": "10000",
        "REELBUS_POLL_MIN": "0.1",
    }


def measure_checks(setting: Setting) -> list[Row]:
    """Measure goal 9."""
    count = 500 if setting.quick else 2000
    ours: list[float] = []
    theirs: list[float] = []
    with standin(setting) as port, Started(["bench.asking", str(port)], folder=setting.folder) as asking:
        asking.line()
        for number in range(setting.rounds + 1):
            for who, found in (("ours", ours), ("httpx", theirs)):
                asking.tell(f"{who} {count if number else 50}")
                found.append(float(asking.line()))
    return [
        Row("9", "one provider check / a shared httpx GET, CPU", ratios(ours[1:], theirs[1:]), 0.4, 0.25, at_most=True),
        Row("9", "one provider check: CPU", [1e6 * cpu for cpu in ours[1:]], unit="µs"),
    ]


def measure_pipeline(setting: Setting) -> list[Row]:
    """Measure goal 10: videos submitted, made, and consumed, by one process with all roles."""
    count = 300 if setting.quick else 1000
    rates: list[float] = []
    floors: list[float] = []
    cpu: list[float] = []
    with (
        standin(setting) as provider,
        setting.peer("floor") as floor,
        setting.role("run", setting.fresh(), **provider_settings(provider)) as service,
        Started(["bench.consuming", setting.broker.url, EXCHANGE], folder=setting.folder) as subscriber,
    ):
        subscriber.line()
        for number in range(setting.rounds + 1):
            floors.append(measure(setting, floor, "plain").answers.rate)
            before, began = service.process.cpu(), time.time()
            setting.generator.begin(Load(service.port, "video", 60, connections=8, count=count))
            subscriber.tell(str(2 * count))  # each video is announced when it is submitted and when it is ready
            ended = float(subscriber.line())
            setting.generator.end()
            if number:
                rates.append(count / (ended - began))
                cpu.append((service.process.cpu() - before) / count)
    return [
        Row("10", "videos from request to consumed event, a second / floor", ratios(rates, floors), 0.03, 0.08),
        Row("10", "the same: videos a second", rates),
        Row("10", "the same: CPU a video", [1e6 * used for used in cpu], unit="µs"),
    ]


def measure_latency(setting: Setting) -> list[Row]:
    """Measure goal 11: from a webhook to its event at a subscriber, at an idle pace."""
    ours: list[dict[str, float]] = []
    broker_only: list[dict[str, float]] = []
    rounds = min(setting.rounds, 5)
    with standin(setting) as provider:
        for number in range(rounds):
            broker_only.append(latency(setting, f"idle-{number}", 0))
            with setting.role("run", expecting_latency(setting), **provider_settings(provider)) as service:
                time.sleep(1.5)  # for the relay to connect
                ours.append(latency(setting, EXCHANGE, service.port))
    if any(found["missing"] for found in ours):
        raise RuntimeError(f"events missing: {ours}")
    p50 = [found["p50"] for found in ours]
    return [
        Row(
            "11", "webhook → event, p50 / broker-only p50", ratios(p50, [found["p50"] for found in broker_only]),
            5, 3, at_most=True,
        ),
        Row("base", "broker: published → consumed, p50", [1000 * found["p50"] for found in broker_only], unit="ms"),
        Row("11", "webhook → event, p50", [1000 * late for late in p50], unit="ms"),
        Row("11", "webhook → event, p99", [1000 * found["p99"] for found in ours], 60, 25, at_most=True, unit="ms"),
    ]  # fmt: skip


def expecting_latency(setting: Setting) -> Path:
    """Make a folder with a store whose videos wait for the webhooks that `latency` sends."""
    folder = setting.fresh()
    now = time.time()
    seed_open(create(folder), 0, _RATE * _SECONDS, at=now - 60, due=now + 100_000)
    return folder


def latency(setting: Setting, exchange: str, port: int) -> dict[str, float]:
    """Send webhooks to a service at an idle pace; tell how soon their events came, and how many did not."""
    command = ["bench.latency", setting.broker.url, exchange, str(port), str(_RATE), str(_SECONDS)]
    with Started(command, folder=setting.folder) as started:
        found: dict[str, float] = json.loads(started.line())
        return found
