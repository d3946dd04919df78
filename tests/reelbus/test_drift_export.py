"""What a provider answers that no page documents is exported as vectors, redacted, for the tests of a client."""

import asyncio
import json
from pathlib import Path

from poller.drift import DriftSentinel
from providers.http.seen import SeenAnswer
from schemas.names import Provider
from tests.reelbus.conftest import Run
from tests.support.receiver import serving

PAUSED = SeenAnswer(200, "application/json", b'{"id": "job-1", "status": "PAUSED", "for": "ann@example.com"}')


async def test_each_shape_is_a_line_of_a_vector_file_once_and_bears_no_value(tmp_path: Path, run: Run) -> None:
    async with serving(tmp_path) as service:
        env = {"REELBUS_URL": service.context.settings.local_url}
        before = await asyncio.to_thread(run, "drift", "export", **env)
        sentinel = DriftSentinel(service.store)
        sentinel.watch(Provider("runway"), [PAUSED, PAUSED], "working")
        await sentinel.keep()
        exported = await asyncio.to_thread(run, "drift", "export", **env)
        listed = await asyncio.to_thread(run, "drift", "list", **env)

    assert (before.status, before.output) == (0, "")
    assert (exported.status, exported.errors) == (0, "")
    [vector] = [json.loads(line) for line in exported.output.splitlines()]
    assert (vector["provider"], vector["status"], vector["read_as"]) == ("runway", 200, "working")
    assert vector["body"] == {"for": "<text>", "id": "<text>", "status": "PAUSED"}
    assert "ann@example.com" not in exported.output + listed.output
    assert "seen 2 times" in listed.output
