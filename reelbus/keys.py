"""Create, list and disable API keys in the store, for `reelbus keys`."""

import asyncio
import getpass
import json
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from jobs import audit, spending
from process.api_keys import digest_of, valid_name
from process.settings import Settings
from reelbus.errors import BAD_USAGE, NOT_FOUND, UNAVAILABLE, settings_or_exit, stop_with
from reelbus.wiring import opened_store
from schemas.audit import AuditAction
from schemas.scopes import ALL_SCOPES, Scope
from schemas.times import rfc3339
from store import api_keys
from store.api_keys import StoredKey
from store.database import StoreUnavailable
from store.migrate import StoreTooNew
from store.transaction import Tx

T = TypeVar("T")

_PREFIX = "rb_"
"""Marks a key as one of ours, so that scanners for leaked secrets can find it."""

_UNITS = {"m": 60, "h": 3600, "d": 86400}
_DIGEST = re.compile(r"[0-9a-f]{8,64}")
_SPAN = re.compile(r"([1-9][0-9]{0,5})([mhd])")


def create_key(name: str, *, scopes: Iterable[Scope], budget: int | None, expires: str | None) -> int:
    """Create a key and print it on stdout, once: only its hash is kept."""
    if not valid_name(name):
        stop_with(f"{name!r} is no name of a key; use 1 to 64 letters without spaces, commas and colons", BAD_USAGE)
    now = time.time()
    expires_at = None if expires is None else now + _seconds(expires)
    secret = _PREFIX + secrets.token_urlsafe(32)
    digest = digest_of(secret.encode()).hex()
    key = StoredKey(name, digest, frozenset(scopes) or ALL_SCOPES, budget, now, expires_at, None)
    _in_store(lambda tx: _add(tx, key))
    sys.stderr.write(f"the key of {name}, shown this once ({_told(key)}):\n")
    sys.stdout.write(secret + "\n")
    return 0


def list_keys(*, as_json: bool) -> int:
    """Print the keys of the store and of the settings, never a key itself."""
    settings = settings_or_exit()
    now = time.time()

    def read(tx: Tx) -> list[dict[str, Any]]:
        disabled = api_keys.disabled_callers(tx)
        stored = [_row(key, spending.spent_today(tx, key.name, now=now), now) for key in api_keys.get_all(tx)]
        return stored + [_setting(key.name, disabled=key.name in disabled) for key in settings.api_keys]

    for row in _in_store(read, settings):
        sys.stdout.write((json.dumps(row, ensure_ascii=False) if as_json else _line(row)) + "\n")
    return 0


def disable_keys(name: str) -> int:
    """Disable every key of a name, those in the settings of any process too, within five seconds."""
    settings = settings_or_exit()
    if not valid_name(name):
        stop_with(f"{name!r} is no name of a key", BAD_USAGE)
    now = time.time()

    def disable(tx: Tx) -> bool:
        known = name in {key.name for key in api_keys.get_all(tx)} | {key.name for key in settings.api_keys}
        api_keys.disable(tx, name, now=now)
        audit.record(tx, AuditAction.KEY_DISABLED, actor=audit.OPERATOR, subject=name, detail=_who(), now=now)
        return known

    if not _in_store(disable, settings):
        stop_with(
            f"no key of {name} is in the store or in the settings seen here; should the settings of another process"
            " have one, it is disabled now",
            NOT_FOUND,
        )
    sys.stderr.write(f"all keys of {name} are disabled; `reelbus keys create {name}` makes a new one\n")
    return 0


def disable_one_key(name: str, digest: str) -> int:
    """Disable one key of the store, as at the end of a rotation; the others of its name stay."""
    if not _DIGEST.fullmatch(digest):
        stop_with(f"--sha256 {digest!r} is no beginning of a digest; `reelbus keys list` shows them", BAD_USAGE)
    now = time.time()

    def disable(tx: Tx) -> int:
        count = api_keys.disable_one(tx, name, digest, now=now)
        if count:
            detail = f"{_who()}; sha256 {digest}"
            audit.record(tx, AuditAction.KEY_DISABLED, actor=audit.OPERATOR, subject=name, detail=detail, now=now)
        return count

    if not _in_store(disable):
        stop_with(f"no live key of {name} in the store has a SHA-256 that begins with {digest}", NOT_FOUND)
    return 0


def enable_caller(name: str) -> int:
    """Enable the keys that the settings hold for a name again; a key of the store stays disabled."""
    now = time.time()

    def enable(tx: Tx) -> bool:
        enabled = api_keys.enable(tx, name)
        if enabled:
            audit.record(tx, AuditAction.KEY_ENABLED, actor=audit.OPERATOR, subject=name, detail=_who(), now=now)
        return enabled

    if not _in_store(enable):
        stop_with(f"{name} is not disabled", NOT_FOUND)
    return 0


async def has_stored_keys(settings: Settings) -> bool:
    """Say whether the store, if there is one yet, has API keys."""
    if settings.database_url.startswith("sqlite:///") and not _file(settings).exists():
        return False
    async with opened_store(settings) as store:
        return bool(await store.read(api_keys.get_all))


def _file(settings: Settings) -> Path:
    return Path(settings.database_url.removeprefix("sqlite:///"))


def _in_store(work: Callable[[Tx], T], settings: Settings | None = None) -> T:
    chosen = settings or settings_or_exit()

    async def run() -> T:
        async with opened_store(chosen) as store:
            return await store.write(work)

    try:
        return asyncio.run(run())
    except (StoreUnavailable, StoreTooNew) as error:
        stop_with(f"the store cannot be used: {error}; check REELBUS_DATABASE_URL", UNAVAILABLE)


def _add(tx: Tx, key: StoredKey) -> None:
    api_keys.add(tx, key)
    detail = f"{_who()}; {_told(key)}"
    audit.record(tx, AuditAction.KEY_CREATED, actor=audit.OPERATOR, subject=key.name, detail=detail, now=key.created_at)


def _seconds(span: str) -> float:
    read = _SPAN.fullmatch(span)
    if read is None:
        stop_with(f"--expires {span!r} is no time; write it as 90d, 12h or 30m", BAD_USAGE)
    return int(read[1]) * _UNITS[read[2]]


def _told(key: StoredKey) -> str:
    budget = "no budget" if key.budget is None else f"{key.budget} videos a day"
    expiry = "does not expire" if key.expires_at is None else f"expires {rfc3339(key.expires_at)}"
    return f"scopes {' '.join(sorted(key.scopes))}; {budget}; {expiry}"


def _row(key: StoredKey, spent: int, now: float) -> dict[str, Any]:
    expired = key.expires_at is not None and key.expires_at <= now
    return {
        "name": key.name,
        "from": "store",
        "state": "disabled" if key.disabled_at is not None else "expired" if expired else "live",
        "scopes": sorted(key.scopes),
        "budget": key.budget,
        "spent_today": spent,
        "created_at": rfc3339(key.created_at),
        "expires_at": None if key.expires_at is None else rfc3339(key.expires_at),
        "sha256": key.digest,
    }


def _setting(name: str, *, disabled: bool) -> dict[str, Any]:
    return {
        "name": name,
        "from": "settings",
        "state": "disabled" if disabled else "live",
        "scopes": sorted(ALL_SCOPES),
        "budget": None,
        "spent_today": None,
        "created_at": None,
        "expires_at": None,
        "sha256": None,
    }


def _line(row: dict[str, Any]) -> str:
    budget = "" if row["budget"] is None else f"  {row['spent_today']} of {row['budget']} videos today"
    expiry = "" if row["expires_at"] is None else f"  expires {row['expires_at'][:16]}"
    digest = (row["sha256"] or "")[:12]
    start = f"{row['name']:<20}  {row['state']:<8}  {row['from']:<8}  {digest:<12}"
    return f"{start}  {' '.join(row['scopes'])}{budget}{expiry}"


def _who() -> str:
    try:
        return f"by {getpass.getuser()} on this machine"
    except (KeyError, OSError):
        return "by an unnamed user on this machine"
