"""Turn what a user can cause into one clear line and the right exit status."""

import sys
from typing import NoReturn

from process.settings import Settings, WrongSettings, unknown_variables

FAILURE = 1
BAD_USAGE = 2


def stop_with(message: str, status: int = FAILURE) -> NoReturn:
    """Print a message on stderr and end the command."""
    sys.stderr.write(f"{message}\n")
    raise SystemExit(status)


def settings_or_exit() -> Settings:
    """Read the settings; a wrong one ends the command before it has done anything."""
    try:
        settings = Settings.read()
    except WrongSettings as error:
        stop_with(str(error), BAD_USAGE)
    for name in unknown_variables():
        sys.stderr.write(f"warning: {name} is not a setting of reelbus; see the README for those there are\n")
    return settings
