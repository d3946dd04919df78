"""Nothing that came from outside commands the operator's terminal, and no JSON is changed by making it so."""

import json

import pytest

from reelbus.terminal import cleaned, one_line, printable_json
from reelbus.watching import _line

HOSTILE = "\x1b]0;PWN\x07\x1b[2J\x9b31m\u202eevil\u2066\u200f\x00\x7f\r"


def test_controls_are_shown_and_not_obeyed() -> None:
    assert cleaned(HOSTILE) == ("\\x1b]0;PWN\\x07\\x1b[2J\\x9b31m\\u202eevil\\u2066\\u200f\\x00\\x7f\\x0d")
    assert cleaned("Küche, 客厅\tund\nmehr 🏠") == "Küche, 客厅\tund\nmehr 🏠"


def test_a_text_cannot_forge_another_line() -> None:
    assert one_line("a\n12:00 paid") == "a\\n12:00 paid"


def test_json_stays_the_same_document() -> None:
    document = {"k": HOSTILE + "\ud800 é", "n": [1, None]}
    printed = printable_json(document)
    assert json.loads(printed) == document
    assert cleaned(printed) == printed


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"", b"{", b"[" * 100_000, b"\x1b[2J\n", b"9" * 5000])
def test_watch_survives_any_body(body: bytes) -> None:
    line = _line(body)
    assert "\n" not in line
    assert cleaned(line) == line
