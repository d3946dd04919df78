"""A real Prometheus over the service, with the alert rules and the intervals that `deploy/` ships."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from setup.tools import locate
from tests.support.ports import free_port
from tests.support.waiting import eventually

SHIPPED = Path(__file__).parents[2] / "deploy" / "monitoring"


class Prometheus:
    """One process of its own, which keeps what it scrapes in `folder`."""

    def __init__(self, process: asyncio.subprocess.Process, http: httpx.AsyncClient) -> None:
        self._process = process
        self._http = http

    @classmethod
    async def start(cls, folder: Path, ports: Mapping[str, int], *, within: float = 240) -> Self:
        """Scrape each role at its port of loopback, and wait for the first scrape of each; AssertionError without."""
        config, port = _written(folder, ports), free_port()
        with (folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                locate("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        started = cls(process, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10))
        try:
            await eventually(lambda: started.sees(len(ports)), within=within, what="the first scrape of every role")
        except BaseException:
            await started.close()
            raise
        return started

    async def sees(self, count: int) -> bool:
        """Say whether so many processes answer their scrapes."""
        with suppress(httpx.TransportError, httpx.HTTPStatusError):
            return len(await self._get("/api/v1/query", query='up{job="reelbus"} == 1')) == count
        return False

    async def firing(self) -> set[str]:
        """Name the alerts that fire now."""
        alerts = await self._get("/api/v1/query", query='ALERTS{alertstate="firing"}')
        return {alert["metric"]["alertname"] for alert in alerts}

    async def close(self) -> None:
        """End it."""
        await self._http.aclose()
        with suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.wait()

    async def _get(self, path: str, **query: str) -> list[Any]:
        answer = (await self._http.get(path, params=query)).raise_for_status()
        found: list[Any] = answer.json()["data"]["result"]
        return found


def _written(folder: Path, ports: Mapping[str, int]) -> Path:
    folder.mkdir()
    config = folder / "prometheus.yaml"
    config.write_text(_config(ports))
    return config


def _config(ports: Mapping[str, int]) -> str:
    shipped = yaml.safe_load((SHIPPED / "prometheus.yaml").read_text())
    roles = [{"targets": [f"127.0.0.1:{port}"], "labels": {"service": role}} for role, port in ports.items()]
    return yaml.safe_dump(
        {
            "global": shipped["global"],
            "rule_files": [str(SHIPPED / "alerts.yaml")],
            "scrape_configs": [{"job_name": "reelbus", "static_configs": roles}],
        }
    )
