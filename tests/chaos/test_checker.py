"""The judge of a run blames nobody for what the broker delayed, and finds a time-out that came too late."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.chaos.checker import given_up_faults, in_order
from tests.chaos.world import ChaosService

ACCEPTED, DEADLINE = 1_000_000.0, 1_000_040.0


def faults(*, made: float, decided: float, heard: float, stepped: bool = False) -> Sequence[str]:
    """Judge one time-out: when its provider had the video, when it was decided, and when the subscriber heard."""
    attempt = {"provider": "iacrea", "provider_job_id": "a job"}
    completed_at = datetime.fromtimestamp(decided, UTC).isoformat()
    video = {"id": "v", "error": {"code": "timed_out"}, "completed_at": completed_at, "attempts": [attempt]}
    record = {"provider": "iacrea", "job_id": "a job", "accepted": True, "ends": "succeeded", "ends_at": made}
    world: Any = SimpleNamespace(subscriber=SimpleNamespace(ended={"v": heard}), unanswered=[])
    return list(given_up_faults(cast("ChaosService", world), video, [record], stepped=stepped))


def test_a_time_out_before_its_video_was_made_is_right_however_late_it_is_heard_of() -> None:
    assert faults(made=DEADLINE + 8, decided=DEADLINE, heard=DEADLINE + 70) == []


@pytest.mark.parametrize("heard", [DEADLINE + 1, DEADLINE + 70])
def test_a_time_out_long_after_its_video_was_made_is_found(heard: float) -> None:
    assert faults(made=ACCEPTED + 3, decided=DEADLINE, heard=heard) != []


def test_where_a_clock_was_put_back_the_subscribers_counts() -> None:
    assert faults(made=ACCEPTED + 3, decided=DEADLINE - 3600, heard=DEADLINE, stepped=True) != []


@pytest.mark.parametrize(
    ("came", "stepped", "right"),
    [
        (["submitted 1", "ready 2", "late 3"], False, True),
        (["ready 2", "submitted 1"], False, False),
        (["ready 2", "submitted 3"], False, False),
        (["submitted 3", "ready 2"], True, True),
    ],
)
def test_events_come_by_their_times_and_only_a_late_one_after_the_end(
    came: list[str], *, stepped: bool, right: bool
) -> None:
    events = [{"type": f"video.{kind}", "time": time} for kind, time in (event.split() for event in came)]
    assert in_order(events, stepped=stepped) is right
