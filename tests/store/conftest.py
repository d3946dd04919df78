"""A store in a file of its own for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.database import Store
from tests.support.stores import url_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name the file."""
    return tmp_path / "reelbus.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    """Open the file with its tables made."""
    opened = await Store.open(url_of(path))
    yield opened
    await opened.close()
