"""A desk for each test."""

import pytest

from tests.support.job_scenario import JobScenario


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest) -> JobScenario:
    """Give an empty store, the default policy and a clock, on each database."""
    scenario = JobScenario()
    if request.param == "postgresql":
        scenario.connection = request.getfixturevalue("postgres_session")
    return scenario
