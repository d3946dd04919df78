"""Goal 14 and overload: a broker that is down changes nothing for who submits, and too much is refused in time."""

from bench.load import Load
from bench.measures import Row, ratios
from bench.seeding import create
from bench.setting import Setting, measure
from sandbox.broker.node import Node

_TIMES_TOO_MUCH = 5


def measure_outage(setting: Setting) -> list[Row]:
    """Accept webhooks while the broker is up, and while it is down."""
    node = Node(setting.folder / "another-broker")
    node.start()
    setting.stack.callback(node.stop, now=True)
    up: list[float] = []
    down: list[float] = []
    memory: list[float] = []
    with setting.role("run", setting.fresh(), REELBUS_AMQP_URL=node.url) as service:
        for _ in range(setting.rounds):
            up.append(measure(setting, service, "webhook").answers.rate)
            node.kill()
            down.append(measure(setting, service, "webhook").answers.rate)
            memory.append(service.process.resident())
            node.start()
    node.stop(now=True)
    return [
        Row("14", "webhooks accepted: broker down / up", ratios(down, up), 0.9, 1.0),
        Row("14", "the same: resident memory", memory, unit="MB"),
    ]


def measure_overload(setting: Setting) -> list[Row]:
    """Send videos five times as fast as they can be accepted."""
    late: list[float] = []
    accepted: list[float] = []
    memory: list[float] = []
    folder = setting.fresh()
    create(folder)
    with setting.role("receiver", folder) as receiver:
        sustained = measure(setting, receiver, "video").answers.rate
        before = receiver.process.resident()
        for _ in range(setting.rounds):
            load = Load(receiver.port, "video", setting.seconds, 1500, rate=_TIMES_TOO_MUCH * sustained)
            answers = setting.generator.drive(load)
            late.append(answers.accepted_p99)
            accepted.append(answers.rate / sustained)
            memory.append(receiver.process.resident() - before)
    return [
        Row("load", "accepted videos' p99 at 5 times the sustained rate", late, 1.0, at_most=True, unit="s"),
        Row("load", "videos accepted then / sustained rate", accepted),
        Row("load", "memory grown by then", memory, unit="MB"),
    ]
