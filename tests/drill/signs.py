"""What tells an operator that something is wrong, each sign by its name.

`alert NAME` fires in Prometheus; `readyz PART` is named in a 503 of `/readyz`; `tile NAME` is red or yellow on the
console, by `/v1/status`; `log EVENT` is a log line of level warning or worse.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.chaos.fleet import ROLES
from tests.drill.site import Site

MISSED_IN_A_ROW = 3  # as the console has it


async def signs(site: Site, logs: "LogTail") -> set[str]:
    """Name all that tells now, or has been logged since the last look."""
    alerts = {f"alert {name}" for name in await site.prometheus.firing()}
    return alerts | await _readiness(site) | await _tiles(site) | logs.news()


async def _readiness(site: Site) -> set[str]:
    answer = await site.get("/readyz")
    if answer is None or answer.status_code == 200:
        return set()
    return {f"readyz {fault['field']}" for fault in answer.json()["errors"]}


async def _tiles(site: Site) -> set[str]:
    answer = await site.get("/v1/status")
    return set() if answer is None or answer.status_code != 200 else set(_troubles(answer.json()))


def _troubles(status: dict[str, Any]) -> Iterator[str]:
    if not status["store"]["ready"]:
        yield "tile store"
    if not status["broker"]["ready"]:
        yield "tile broker"
    if not (status["public_address"] or {"ready": True})["ready"]:
        yield "tile public address"
    if status["commands"]["dead_letters"]:
        yield "tile commands"
    for name, provider in status["providers"].items():
        if provider["state"] not in {"ready", "throttled"}:
            yield f"tile {name} {provider['state'].replace('_', ' ')}"
        if (provider["webhooks"] or {}).get("missed_in_a_row", 0) >= MISSED_IN_A_ROW:
            yield f"tile {name} webhooks missed"


class LogTail:
    """The log lines of all roles, from now on."""

    def __init__(self, folder: Path) -> None:
        self._read = {folder / f"{role}.log": 0 for role in ROLES}
        self.news()

    def news(self) -> set[str]:
        """Name the events of the lines since the last look that are of level warning or worse."""
        return {f"log {event}" for file in self._read for event in self._new_events(file)}

    def _new_events(self, file: Path) -> Iterator[str]:
        with file.open("rb") as log:
            log.seek(self._read[file])
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self._read[file] += len(line)
                entry = json.loads(line)
                if entry["level"] != "info":
                    yield entry["event"]
