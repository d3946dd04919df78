"""Know callers by their API keys: those of the settings, and those that were created in the store.

Both are looked at again while they are used: a key that was disabled, created, or changed in its file counts within
`STALE_SECONDS` in every process, without a restart.
"""

import asyncio
import hmac
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

import structlog

from intake.context import Context
from process.api_keys import ApiKey, KeyFile
from process.settings import WrongSettings
from schemas.scopes import ALL_SCOPES, Scope
from store import api_keys
from store.api_keys import StoredKey
from store.database import StoreUnavailable
from store.transaction import Tx

FRESH_SECONDS = 1.0
"""For how long what was read of keys is used without another look."""

STALE_SECONDS = 3.0
"""After how long nothing more is answered before another look."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose key it is, and what it may do; `budget` is in videos a day, `expires_at` in Unix seconds."""

    name: str
    digest: bytes
    scopes: frozenset[Scope] = ALL_SCOPES
    budget: int | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    """All keys that open, and whether there were ever any: without them all, this is keyless mode."""

    identities: tuple[Identity, ...]
    keyed: bool


class Keyring:
    """The API keys, compared by their hashes in constant time."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._given = context.settings.api_keys
        file = context.settings.file_of("api_keys")
        self._file = None if file is None else KeyFile(file)
        self._known = _Known((), keyed=True)
        self._looked_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    async def is_keyed(self) -> bool:
        """Say whether there are keys, disabled ones too. Raises `StoreUnavailable`."""
        return (await self._current()).keyed

    async def was_keyed(self) -> bool:
        """Do the same, but go by the last look while the store is away."""
        with suppress(StoreUnavailable):
            await self._current()
        return self._known.keyed

    async def find(self, digest: bytes) -> Identity | None:
        """Give whose key has this SHA-256 digest, if it opens now. Raises `StoreUnavailable`."""
        known, now = await self._current(), self._context.now()
        matching = [key for key in known.identities if hmac.compare_digest(key.digest, digest)]
        return next((key for key in matching if key.expires_at is None or now < key.expires_at), None)

    async def _current(self) -> _Known:
        age = monotonic() - self._looked_at
        if age > FRESH_SECONDS:
            if self._looking is None:
                self._looking = asyncio.create_task(self._reload())
                self._looking.add_done_callback(_report)
            if age > STALE_SECONDS:
                await asyncio.shield(self._looking)
        return self._known

    async def _reload(self) -> None:
        try:
            began = monotonic()
            self._reread_file()
            stored, disabled = await self._context.store.read_small(_read)
            self._known = _opening(self._given, stored, disabled)
            self._looked_at = began
        finally:
            self._looking = None

    def _reread_file(self) -> None:
        try:
            if self._file is not None and (keys := self._file.changed()) is not None:
                self._given = keys
        except WrongSettings as error:
            _log.error("API keys cannot be read again; the ones known before stay in use", reason=str(error))


def _report(looked: asyncio.Task[None]) -> None:
    if not looked.cancelled() and (error := looked.exception()) is not None:
        _log.warning("API keys cannot be looked up", reason=str(error))


def _read(tx: Tx) -> tuple[list[StoredKey], frozenset[str]]:
    return api_keys.get_all(tx), api_keys.disabled_callers(tx)


def _opening(given: tuple[ApiKey, ...], stored: list[StoredKey], disabled: frozenset[str]) -> _Known:
    identities = [Identity(key.name, key.digest) for key in given if key.name not in disabled]
    identities += [
        Identity(key.name, bytes.fromhex(key.digest), key.scopes, key.budget, key.expires_at)
        for key in stored
        if key.disabled_at is None
    ]
    return _Known(tuple(identities), keyed=bool(given or stored))
