"""Fixtures that every folder of tests may ask for."""

import os

from hypothesis import settings

pytest_plugins = ["tests.support.broker", "tests.support.postgres"]

# The same examples each time, and no limit of time for one: a machine under load fails nothing by chance.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("searching", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
