"""Turn what a user can cause into one clear line and the right exit status."""

from collections.abc import Collection
from pathlib import Path
from typing import NoReturn

from process.settings import Settings, WrongSettings, suspicions
from reelbus.terminal import complain

FAILURE = 1
BAD_USAGE = 2
UNAVAILABLE = 3
"""The service, the store or the broker is away."""
NOT_FOUND = 4
VIDEO_FAILED = 5
"""The video ended as failed, where its end was waited for."""

_DEFAULT_ENV_FILE = Path(".env")
_env_file = _DEFAULT_ENV_FILE


def use_env_file(path: Path) -> None:
    """Read settings from this file instead of `.env`; one that cannot be read ends the command."""
    global _env_file  # noqa: PLW0603 - an option before the command, for whatever command comes
    if not path.is_file():
        stop_with(f"--env-file {path} is not a file that can be read", BAD_USAGE)
    _env_file = path


def env_file() -> Path:
    """Name the file beside the environment that settings are read from."""
    return _env_file


def use_dev_service() -> None:
    """Read the settings of the `reelbus dev` that runs in this folder, if one does and no file was named."""
    global _env_file  # noqa: PLW0603 - as above
    from reelbus.dev_folder import ENV, running_env

    if _env_file is _DEFAULT_ENV_FILE and ENV.exists() and running_env():
        _env_file = ENV


def leaves(error: BaseException) -> list[BaseException]:
    """Give the errors themselves, out of groups within groups."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in leaves(each)]
    return [error]


def stop_with(message: str, status: int = FAILURE) -> NoReturn:
    """Print a message on stderr and end the command."""
    complain(message)
    raise SystemExit(status)


def settings_or_exit(*, without: Collection[str] = ()) -> Settings:
    """Read the settings, but not those `without`; a wrong one ends the command before it has done anything."""
    try:
        settings = Settings.read(file=_env_file, without=without)
        found = suspicions(file=_env_file)
    except WrongSettings as error:
        stop_with(str(error), BAD_USAGE)
    for suspicion in found:
        complain(f"warning: {suspicion}")
    return settings
