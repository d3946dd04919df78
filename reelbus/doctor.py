"""Examine everything that the service leans on, one line each, with the mend where something is wrong."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

from process.settings import Settings, WrongSettings, suspicions
from providers.promise import ProviderDown
from publisher.doctor import probe
from reelbus.errors import env_file
from reelbus.wiring import opened_clients, opened_store
from schemas.names import Provider
from store import providers
from store.database import StoreUnavailable
from store.migrate import StoreTooNew


@dataclass(frozen=True, slots=True)
class Finding:
    """What was examined, what came of it (ok, warn, off or fail), and for a fault its mend."""

    subject: str
    verdict: str
    detail: str
    mend: str = ""


def examine() -> int:
    """Print the findings; give the exit status: 1 if anything failed."""
    try:
        settings = Settings.read(file=env_file())
    except WrongSettings as error:
        for line in str(error).splitlines():
            _print(Finding("settings", "fail", line))
        return 1
    return asyncio.run(_examine(settings))


async def _examine(settings: Settings) -> int:
    failed = False
    async for finding in _findings(settings):
        _print(finding)
        failed = failed or finding.verdict == "fail"
    return int(failed)


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    for finding in _settings(settings):
        yield finding
    yield await _store(settings)
    for name, ok, detail, mend in await probe(settings):
        yield Finding(name, "ok" if ok else "fail", detail, mend)
    async for finding in _providers(settings):
        yield finding


def _settings(settings: Settings) -> list[Finding]:
    findings = [Finding("settings", "ok", "every value can be used")]
    findings += [Finding("settings", "warn", suspicion) for suspicion in suspicions(file=env_file())]
    if settings.base_url.startswith("http://127.") and Provider.IACREA in settings.enabled_providers:
        mend = "set REELBUS_PUBLIC_URL to an address that IACrea can reach; until then only polling finds its videos"
        findings.append(Finding("public address", "warn", f"{settings.base_url} is on this machine only", mend))
    return findings


async def _store(settings: Settings) -> Finding:
    try:
        async with opened_store(settings) as store:
            await store.write(lambda tx: tx.execute("SELECT 1").fetchone())
    except (StoreUnavailable, StoreTooNew) as error:
        return Finding("store", "fail", str(error), "check REELBUS_DATABASE_URL, the disk and its permissions")
    return Finding("store", "ok", f"{settings.database_url} can be written")


async def _providers(settings: Settings) -> AsyncIterator[Finding]:
    refusing = await _refusing(settings)
    async with opened_clients(settings) as clients:
        for provider in Provider:
            client = clients.get(provider)
            if client is None:
                yield Finding(provider, "off", "no credentials are set, or REELBUS_PROVIDERS leaves it out")
                continue
            try:
                yield Finding(provider, "ok", await client.verify())
            except ProviderDown as error:
                yield Finding(provider, "fail", str(error), f"check REELBUS_{provider.upper()}_URL and its credentials")
                continue
            if provider in refusing:
                yield Finding(provider, "warn", "it refused our credentials at the last job or check", "watch /metrics")


async def _refusing(settings: Settings) -> set[Provider]:
    try:
        async with opened_store(settings) as store:
            rows = [await store.read(providers.get, provider) for provider in Provider]
    except (StoreUnavailable, StoreTooNew):
        return set()
    return {row.name for row in rows if row is not None and row.unauthorized_since is not None}


def _print(finding: Finding) -> None:
    mend = f"; {finding.mend}" if finding.mend else ""
    sys.stdout.write(f"{finding.verdict:<5} {finding.subject:<16} {finding.detail}{mend}\n")
