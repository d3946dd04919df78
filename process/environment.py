"""Gather the variables that settings are read from: the environment, an env file, and files that `…_FILE` name."""

import difflib
import os
import re
import stat
from collections.abc import Collection, Mapping
from pathlib import Path

from providers.registry import PROVIDERS

PREFIX = "REELBUS_"
FILE = "_FILE"

_FROM_FILE = re.compile(r"(?:.*_)?(?:URL|KEY|KEYS|TOKEN|TOKENS|SECRET|SECRETS|PASSWORD|USER_ID)")
_LARGEST_FILE = 1024 * 1024
_OURS = frozenset({"REELBUS_TEST_CRASH", "REELBUS_TEST_SLOW"})
_SETS = tuple(
    frozenset(f"{PREFIX}{name}_{each.name}".upper() for each in provider.credentials if each.required)
    for name, provider in PROVIDERS.items()
)
"""The credentials that belong together."""

PROVIDER_CREDENTIALS = frozenset(f"{name}{suffix}" for together in _SETS for name in together for suffix in ("", FILE))
"""The variables that give providers' credentials: nobody but generators and pollers needs them."""


class WrongSettings(Exception):
    """One or more settings are wrong; the message has a line for each, with the mend."""


def may_come_from_file(variable: str) -> bool:
    """Say whether a variable (a key, token, password, secret or address) may also be given as `…_FILE`."""
    return bool(_FROM_FILE.fullmatch(variable.removeprefix(PREFIX)))


def merged(environ: Mapping[str, str], file: Path | None) -> dict[str, str]:
    """Give our variables that are not empty; the environment wins over the env file."""
    given = {**_env_file(file), **environ}
    return {name: value for name, value in given.items() if name.startswith(PREFIX) and value != ""}


def named_files(given: Mapping[str, str]) -> dict[str, Path]:
    """Give the variables whose values are in files, and the files. Raises `WrongSettings` for one given twice."""
    files = {
        name.removesuffix(FILE): Path(value)
        for name, value in given.items()
        if name.endswith(FILE) and may_come_from_file(name.removesuffix(FILE))
    }
    twice = [f"{name} and {name}{FILE} are both set; set one of them" for name in files if name in given]
    if twice:
        raise WrongSettings("\n".join(twice))
    return files


def read_secret(variable: str, path: Path) -> str:
    """Read the value that `variable` has in a file, without the line break at its end. Raises `WrongSettings`."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise WrongSettings(f"{variable}{FILE} {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise WrongSettings(f"{variable}{FILE} {path} is not text in UTF-8") from None
    if len(text) > _LARGEST_FILE:
        raise WrongSettings(f"{variable}{FILE} {path} is larger than 1 MiB")
    if not text.strip():
        raise WrongSettings(f"{variable}{FILE} {path} is empty; write the value into it, or unset {variable}{FILE}")
    return text.strip("\r\n")


def warnings(environ: Mapping[str, str], file: Path | None, known: Collection[str]) -> list[str]:
    """Name what does not stop a start but is probably a mistake: unknown names, half a pair, an unsafe env file."""
    given = merged(environ, file)
    unknown = [name for name in sorted(given) if not _is_known(name, known)]
    found = [_unknown(name, known, in_file=file if name not in environ else None) for name in unknown]
    present = {name.removesuffix(FILE) for name in given}
    for together in _SETS:
        absent = " and ".join(sorted(together - present))
        there = " and ".join(sorted(together & present))
        if absent and there:
            found.append(f"{there} is set, but {absent} is not; without both the provider is off")
    return found + unsafe(file)


def unsafe(file: Path | None) -> list[str]:
    """Say whether somebody else could write an env file, and so send our requests and keys elsewhere."""
    if file is None or not file.is_file():
        return []
    place = file.resolve()
    for path in (place, place.parent):
        found = path.stat()
        shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not (
            stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
        )
        if shared or found.st_uid not in {os.geteuid(), 0}:
            return [f"{place} could be written by another user; chmod go-w {path}, or name a file with --env-file"]
    if place.stat().st_mode & stat.S_IROTH:
        return [f"{place} can be read by every user of this machine; chmod 600 {place}"]
    return []


def _is_known(name: str, known: Collection[str]) -> bool:
    if name in known or name in _OURS:
        return True
    bare = name.removesuffix(FILE)
    return name.endswith(FILE) and bare in known and may_come_from_file(bare)


def _unknown(name: str, known: Collection[str], *, in_file: Path | None) -> str:
    where = f" (in {in_file})" if in_file else ""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    mend = f"did you mean {near[0]}?" if near else "deploy/env.example lists those there are"
    return f"{name}{where} is not a setting of reelbus; {mend}"


def _env_file(file: Path | None) -> dict[str, str]:
    if file is None or not file.is_file():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - only where there is a file

    try:
        found = dotenv_values(file, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongSettings(f"the settings in {file} cannot be read: {error}") from None
    return {name: value for name, value in found.items() if value is not None}
