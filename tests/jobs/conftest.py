"""A desk for each test."""

import pytest
from hypothesis import settings

from tests.support.job_scenario import JobScenario

# On a machine that is shared, slowness says nothing about an example.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest) -> JobScenario:
    """Give an empty store, the default policy and a clock, on each database."""
    scenario = JobScenario()
    if request.param == "postgresql":
        scenario.connection = request.getfixturevalue("postgres_session")
    return scenario
