"""What options of several commands are checked by."""

from collections.abc import Callable

import typer


def one_of(*names: str) -> Callable[[str | None], str | None]:
    """Make the check of an option whose choices are an open list."""

    def check(given: str | None) -> str | None:
        if given is not None and given not in names:
            raise typer.BadParameter(f"{given!r} is not one of {', '.join(names)}.")
        return given

    return check


def completing(*names: str) -> Callable[[str], list[str]]:
    """Make what completes an option whose choices are an open list."""
    return lambda incomplete: [name for name in names if name.startswith(incomplete)]


def pair(text: str) -> tuple[str, str]:
    """Read a KEY=VALUE. Raises typer.BadParameter."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"{text!r} has no KEY=VALUE; write it as --metadata listing=42")
    return name, value
