"""Fixtures of the suite that every provider of the registry passes."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import uvloop

from tests.providers.conformance.examinee import Examinee, examined


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run on the loop on which the service runs."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def examinee(request: pytest.FixtureRequest) -> AsyncIterator[Examinee]:
    """Serve a provider's stand-in, and build its client; the parameter names the provider."""
    async with examined(request.param) as one:
        yield one
