"""A receiver that whole modules share, and one of a test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.receiver import Receiver, serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Receiver]:
    """Give a receiver without keys; its tests run in their module's event loop."""
    async with serving(tmp_path_factory.mktemp("receiver")) as service:
        yield service


@pytest_asyncio.fixture
async def service(tmp_path: Path) -> AsyncIterator[Receiver]:
    """Give a receiver of this test's own, without keys."""
    async with serving(tmp_path) as service:
        yield service
