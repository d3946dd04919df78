"""The trace of a request goes with its video into every event of it, and nowhere else."""

import pytest

from schemas.event import Event
from schemas.trace import NO_TRACE, Trace, read_trace
from store import outbox
from tests.support.job_scenario import READY, JobScenario

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_every_event_of_a_video_carries_its_trace(desk: JobScenario) -> None:
    attempt = desk.generating(trace=Trace(PARENT, "vendor=1"))
    desk.checked(attempt, READY)
    told = desk.events(attempt)
    assert {(event["traceparent"], event["tracestate"]) for event in told} == {(PARENT, "vendor=1")}
    assert len(told) == 2
    stored = desk.do(outbox.sendable, now=desk.now, limit=9)
    assert [event.traceparent for event in stored] == [PARENT]
    Event.model_validate_json(stored[0].body)


def test_without_a_trace_an_event_names_none(desk: JobScenario) -> None:
    attempt = desk.generating()
    assert {"traceparent", "tracestate"} & desk.events(attempt)[0].keys() == set()


@pytest.mark.parametrize(
    "parent",
    [
        None, "", 7, b"x", PARENT.upper(), PARENT[:-1], PARENT + "0", PARENT + "\n", PARENT + "-more",
        "ff" + PARENT[2:],
        PARENT.replace("b7ad6b7169203331", "0" * 16), PARENT.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
    ],
)  # fmt: skip
def test_what_is_no_trace_is_ignored(parent: object) -> None:
    assert read_trace(parent, "vendor=1") == NO_TRACE


@pytest.mark.parametrize("state", [None, "", "x" * 513, "ü=1", "a=1\n", 7])
def test_a_state_that_is_not_valid_costs_no_trace(state: object) -> None:
    assert read_trace(PARENT, state) == Trace(PARENT, None)
