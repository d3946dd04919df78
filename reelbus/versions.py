"""Which releases run here."""

import platform
import sys
from importlib.metadata import version

from reelbus import __version__
from reelbus.terminal import printable_json


def print_versions(*, as_json: bool) -> None:
    """Print our release, or as JSON those of all that matters."""
    sys.stdout.write((printable_json(versions()) if as_json else f"reelbus {__version__}") + "\n")


def versions() -> dict[str, str]:
    """Name the releases that run here: ours, Python's, and those of the libraries that matter."""
    ours = {"reelbus": __version__, "python": platform.python_version()}
    return {**ours, **{name: version(name) for name in ("starlette", "uvicorn", "aio-pika", "aiormq", "pydantic")}}
