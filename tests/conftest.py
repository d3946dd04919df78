"""Fixtures that every folder of tests may ask for, and what holds for every test."""

import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import settings
from pytest_timeout import Settings

from tests.support.service import end_commands

pytest_plugins = ["tests.support.broker", "tests.support.postgres"]

TEARDOWN_SECONDS = 120

# The same examples each time, and no limit of time for one: a machine under load fails nothing by chance.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("searching", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_configure() -> None:
    """Take Ctrl-C as usual: a shell starts what runs in its background with it ignored, and commands inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """Limit the time of every teardown, and let no file's services live longer than the file.

    The timer of pytest-timeout stops for good at a test's first failure. A test whose time is over may leave services
    behind, which would take the commands of the tests that come after it on the same broker.
    """
    item.ihook.pytest_timeout_cancel_timer(item=item)
    limit = Settings(TEARDOWN_SECONDS, "signal", func_only=False, disable_debugger_detection=False)
    item.ihook.pytest_timeout_set_timer(item=item, settings=limit)
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path != item.path:
            end_commands()
