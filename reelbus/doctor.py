"""Examine everything that the service depends on, one line each, with the mend where something is wrong."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from functools import partial

from process import logs
from process.settings import Settings, WrongSettings, suspicions
from process.tokens import Signer
from publisher.doctor import probe
from reelbus.doctor_providers import provider_findings
from reelbus.errors import env_file
from reelbus.finding import Finding
from reelbus.loopback_address import public_address_fault
from reelbus.public_address import leads_back
from reelbus.setting_sources import sources
from reelbus.takers import takers
from reelbus.terminal import printable_json
from reelbus.versions import versions
from reelbus.wiring import opened_store
from store import secrets, unreadable
from store.database import StoreUnavailable, is_postgres
from store.look import look, sqlite_file
from store.migrate import StoreTooNew
from store.probe import probe as write_probe
from store.unreadable import Unreadable


def examine(*, as_json: bool = False) -> int:
    """Print the findings as they come, or all as one JSON document; give the exit status: 1 if anything failed."""
    logs.set_up(quiet=True)
    settings: Settings | None = None
    findings: list[Finding] = []
    show = _ignore if as_json else _print
    try:
        settings = Settings.read(file=env_file())
    except WrongSettings as error:
        findings = [Finding("settings", "fail", line) for line in str(error).splitlines()]
        for finding in findings:
            show(finding)
    else:
        findings = asyncio.run(_examine(settings, show))
    if as_json:
        known = [] if settings is None else sources(settings, env_file())
        document = {"versions": versions(), "settings": known, "findings": [asdict(each) for each in findings]}
        sys.stdout.write(printable_json(document, indent=2) + "\n")
    return int(any(finding.verdict == "fail" for finding in findings))


async def _examine(settings: Settings, show: Callable[[Finding], None]) -> list[Finding]:
    findings = []
    async for finding in _findings(settings):
        show(finding)
        findings.append(finding)
    return findings


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    for finding in _settings(settings):
        yield finding
    async for finding in _store(settings):
        yield finding
    async for finding in _public_address(settings):
        yield finding
    for name, ok, detail, mend in await probe(settings):
        yield Finding(name, "ok" if ok else "fail", detail, mend)
    yield Finding("takers", *await takers(settings))
    async for finding in provider_findings(settings):
        yield finding


async def _public_address(settings: Settings) -> AsyncIterator[Finding]:
    """Ask it, where one is set and the secret that its answer is known by can be had."""
    if settings.public_url is None:
        return
    try:
        signer = await _signer(settings)
    except (StoreUnavailable, StoreTooNew, OSError):
        return
    if signer is not None:
        yield Finding("public address", *await leads_back(settings, signer))


async def _signer(settings: Settings) -> Signer | None:
    """Take the secret from the settings or the store; None where a first start has yet to make one."""
    file = sqlite_file(settings.database_url)
    found = look(file) if file else None
    if not settings.webhook_secrets and file and (found is None or found.behind):
        return None
    if settings.webhook_secrets:
        return Signer([secret.get_secret_value() for secret in settings.webhook_secrets])
    async with opened_store(settings) as store:
        kept = await store.read(secrets.get, "webhook")
    return None if kept is None else Signer([kept])


def _ignore(finding: Finding) -> None:
    """Show nothing yet."""


def _settings(settings: Settings) -> list[Finding]:
    findings = [Finding("settings", "ok", "every value can be used")]
    findings += [Finding("settings", "warn", suspicion) for suspicion in suspicions(file=env_file())]
    if fault := public_address_fault(settings):
        findings.append(Finding("public address", "warn", *fault))
    return findings


async def _store(settings: Settings) -> AsyncIterator[Finding]:
    """Look first: to open a store would make a missing one, and upgrade an older one."""
    mend = "check REELBUS_DATABASE_URL, the disk and its permissions"
    try:
        if is_postgres(settings.database_url):
            from reelbus.doctor_postgres import server_findings
            from store.postgres_look import look_at_server

            server = await asyncio.to_thread(look_at_server, settings.database_url)
            for fact in server_findings(server):
                yield Finding(*fact)
            if server.behind:
                yield Finding("store", "ok", "the database can be reached; a start makes or upgrades its tables")
                return
        file = sqlite_file(settings.database_url)
        found = look(file) if file else None
        if file and found is None:
            new = "set REELBUS_DATABASE_URL if you expected one; a start makes it, new and empty"
            yield Finding("store", "warn", f"there is none at {file}", new)
            return
        if found and found.behind:
            yield Finding("store", "ok", f"{file} has {found.videos} videos; a start upgrades its tables")
        else:
            async with opened_store(settings) as store:
                await store.write(write_probe, now=time.time())
                rows = await store.read(partial(unreadable.listed, limit=1000))
            count = f" and has {found.videos} videos" if found else ""
            yield Finding("store", "ok", f"{file or 'the database'} can be written{count}")
            for finding in _unreadable(rows):
                yield finding
    except (StoreUnavailable, StoreTooNew, OSError) as error:
        yield Finding("store", "fail", str(error), mend)
        return
    for path in found.readable_by_others if found else []:
        yield Finding("store", "warn", f"{path} can be read by other users", f"chmod 600 {path}; secrets are in it")


def _unreadable(rows: Sequence[Unreadable]) -> list[Finding]:
    if not rows:
        return []
    detail = f"{len(rows)} put aside as unreadable, the oldest {rows[0].kind} {rows[0].id}: {rows[0].reason}"
    return [Finding("rows", "warn", detail, "run the release that wrote them; a poller then takes them back")]


def _print(finding: Finding) -> None:
    mend = f"; {finding.mend}" if finding.mend else ""
    sys.stdout.write(f"{finding.verdict:<5} {finding.subject:<16} {finding.detail}{mend}\n")
