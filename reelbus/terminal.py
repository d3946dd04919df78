"""Print what came from outside without letting it command the terminal (escape sequences, text direction)."""

import json
import os
import re
import sys
from enum import StrEnum
from typing import TextIO

# C0 and C1 controls but tab and line break, lone surrogates, and whatever changes the direction of text.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


class Colour(StrEnum):
    """When to write in colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Output(StrEnum):
    """How much a command shows to people while it goes on."""

    INTERACTIVE = "interactive"
    COMPACT = "compact"
    QUIET = "quiet"


_colour = Colour.AUTO


def use_colour(choice: Colour) -> None:
    """Obey `--color`."""
    global _colour  # noqa: PLW0603 - an option before the command, for whatever command comes
    _colour = choice


def cleaned(text: str) -> str:
    """Replace each control character by its visible escape; tabs and line breaks stay."""
    return _CONTROLS.sub(lambda found: _escaped(found[0]), text)


def one_line(text: str) -> str:
    """Clean a text, and show its line breaks too as escapes, so that it cannot forge a line."""
    return cleaned(text).replace("\n", "\\n").replace("\t", "\\t")


def printable_json(document: object, *, indent: int | None = None) -> str:
    """Write JSON whose control characters are JSON's own escapes: it stays the same document."""
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def has_colours(stream: TextIO) -> bool:
    """Say whether colour may be written: as `--color` says, else on a terminal whose user did not set NO_COLOR."""
    if _colour is not Colour.AUTO:
        return _colour is Colour.ALWAYS
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def complain(message: str) -> None:
    """Write a message on stderr, cleaned."""
    sys.stderr.write(cleaned(message) + "\n")


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
