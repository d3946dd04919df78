"""API keys as the settings name them: `name:key`, or `name:sha256$HEX` where the key itself is kept elsewhere."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pydantic import SecretStr

from process.asyncio_events import reloads
from process.environment import WrongSettings, read_secret

SHORTEST_KEY = 16
"""Characters. A shorter one could be guessed."""

_HASHED = "sha256$"
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_NAME = re.compile(r"[^\s,:]{1,64}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key of a caller, by its SHA-256 digest; `secret` is the key itself where the settings hold it."""

    name: str
    digest: bytes = field(repr=False)
    secret: SecretStr | None = None


def digest_of(key: bytes) -> bytes:
    """Hash a key. It is long and random, so one round of SHA-256 does."""
    return hashlib.sha256(key).digest()


def read_keys(text: object) -> object:
    """Read entries separated by commas or line breaks; a name may stand several times, as in a rotation.

    Raises ValueError with the mend, which never repeats a key.
    """
    if not isinstance(text, str):
        return text
    entries = filter(None, map(str.strip, re.split(r"[,\r\n]", text)))
    keys = tuple(_key(position, entry) for position, entry in enumerate(entries, start=1))
    _refuse_repeated(keys)
    return keys


def valid_name(name: str) -> bool:
    """Say whether a key may have this name: 1 to 64 printable characters without spaces, commas and colons."""
    return bool(_NAME.fullmatch(name)) and name.isprintable()


def _key(position: int, entry: str) -> ApiKey:
    name, colon, key = (part.strip() for part in entry.partition(":"))
    if not (colon and key and valid_name(name)):
        raise ValueError(f"has no name:key as entry {position}; write it as shop:KEY,office:KEY")
    if key.startswith(_HASHED):
        if not _HEX.fullmatch(key.removeprefix(_HASHED)):
            raise ValueError(f"has no SHA-256 digest for {name}; write it as {name}:sha256$ and 64 hexadecimal digits")
        return ApiKey(name, bytes.fromhex(key.removeprefix(_HASHED)))
    if len(key) < SHORTEST_KEY:
        raise ValueError(
            f"has a key for {name} shorter than {SHORTEST_KEY} characters; make one with `openssl rand -hex 32`"
        )
    return ApiKey(name, digest_of(key.encode("utf-8", "surrogateescape")), SecretStr(key))


def _refuse_repeated(keys: Iterable[ApiKey]) -> None:
    owners: dict[bytes, str] = {}
    for key in keys:
        if key.digest in owners:
            raise ValueError(f"has the same key for {owners[key.digest]} and {key.name}; give each a key of its own")
        owners[key.digest] = key.name


class KeyFile:
    """The file that `REELBUS_API_KEYS_FILE` names, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: object = None

    def changed(self) -> tuple[ApiKey, ...] | None:
        """Read the keys, or give None if nothing has changed since the last call. Raises `WrongSettings`."""
        try:
            found = self._path.stat()
        except OSError as error:
            raise WrongSettings(f"REELBUS_API_KEYS_FILE {self._path} cannot be read: {error.strerror}") from None
        now = (found.st_mtime_ns, found.st_size, found.st_ino, reloads.count)
        if now == self._seen:
            return None
        self._seen = now
        try:
            keys = read_keys(read_secret("REELBUS_API_KEYS", self._path))
        except ValueError as error:
            raise WrongSettings(f"REELBUS_API_KEYS_FILE {self._path} {error}") from None
        return cast("tuple[ApiKey, ...]", keys)
