"""What the OpenAPI document says is what is answered. `make fuzz` asks far more."""

from pathlib import Path

import pytest

from tests.support.conformance import KEY, conform
from tests.support.parked import Parked, letter
from tests.support.receiver import serving
from tests.support.subscriptions import Desk


@pytest.mark.timeout(360)
async def test_generated_requests_are_answered_as_the_document_says(tmp_path: Path) -> None:
    async with serving(tmp_path, api_keys=f"test:{KEY}") as service:
        service.context.dead_commands = Parked({"a1": letter("a1")})
        service.context.subscriptions = Desk()
        found = await conform(service.context.settings.local_url, tmp_path, examples=10, seed=1)

    assert found.wrong is None, found.wrong
    assert found.cases > 300
