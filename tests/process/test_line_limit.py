"""What outsiders can cause writes a bounded number of log lines, and none goes uncounted."""

import structlog
from structlog.testing import capture_logs

from process.line_limit import LINES_A_SECOND, LimitedLog


def test_what_is_over_the_bound_of_a_second_is_counted_and_told_with_the_next_line() -> None:
    now = 100.0
    log = LimitedLog(structlog.get_logger(), now=lambda: now)
    with capture_logs() as lines:
        for number in range(300):
            log.warning("command parked", number=number)
        assert len(lines) == LINES_A_SECOND
        now += 1
        log.warning("command parked", number=300)
        log.warning("command parked", number=301)
    assert [line.get("unlogged_before") for line in lines[LINES_A_SECOND:]] == [300 - LINES_A_SECOND, None]
    assert [line["number"] for line in lines[LINES_A_SECOND:]] == [300, 301]
