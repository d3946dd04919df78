"""Goals 1 to 5: what a durable accept costs, compared with a server that only parses JSON."""

from bench.measures import Row, ratios
from bench.setting import Measured, Setting, interleave, measure


def _rates(rounds: list[Measured]) -> list[float]:
    return [measured.answers.rate for measured in rounds]


def _cpus(rounds: list[Measured]) -> list[float]:
    return [measured.cpu for measured in rounds]


def _late(rounds: list[Measured]) -> list[float]:
    return [measured.answers.p99 for measured in rounds]


def measure_accepting(setting: Setting) -> list[Row]:
    """Measure webhooks and new videos against the floor, interleaved."""
    with setting.peer("floor") as floor, setting.role("receiver", setting.expecting()) as receiver:
        found = interleave(
            setting.rounds,
            {
                "floor": lambda: measure(setting, floor, "plain"),
                "webhook": lambda: measure(setting, receiver, "webhook"),
                "video": lambda: measure(setting, receiver, "video"),
            },
        )
    floor_, webhook, video = found["floor"], found["webhook"], found["video"]
    return [
        Row("base", "floor: requests a second", _rates(floor_)),
        Row("base", "floor: server CPU a request", [1e6 * cpu for cpu in _cpus(floor_)], unit="µs"),
        Row("1", "webhook accepted durably / floor, rate", ratios(_rates(webhook), _rates(floor_)), 0.45, 0.70),
        Row(
            "2", "webhook accepted durably / floor, CPU", ratios(_cpus(webhook), _cpus(floor_)), 2.2, 1.3, at_most=True
        ),
        Row(
            "4", "webhook accepted durably / floor, p99", ratios(_late(webhook), _late(floor_)), 2.5, 1.5, at_most=True
        ),
        Row("5", "video accepted durably / floor, rate", ratios(_rates(video), _rates(floor_)), 0.30, 0.50),
        Row("5", "video accepted durably / floor, CPU", ratios(_cpus(video), _cpus(floor_)), at_most=True),
    ]
