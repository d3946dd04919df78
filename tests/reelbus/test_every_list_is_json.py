"""Whatever prints a list or a state for people prints it for programs too."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from reelbus.cli import app
from tests.reelbus.conftest import Run

FOR_PROGRAMS_ANYWAY = {"schema", "drift export", "trigger", "submit", "open"}
"""These print JSON, an id or an address and nothing else."""

SHOWING = ("Show", "List", "Check settings", "Print events", "Send a subscriber's queue")


def _commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    for word, each in getattr(command, "commands", {}).items():
        yield from _commands(each, f"{name} {word}".strip())
    if not getattr(command, "commands", None):
        yield name, command


COMMANDS = dict(_commands(typer.main.get_command(app)))
SHOW = [name for name, each in COMMANDS.items() if each.help and each.help.startswith(SHOWING)]


def test_there_are_such_commands() -> None:
    assert {"list", "show", "keys list", "dead list", "drift list", "db status", "status", "doctor", "watch"} <= set(
        SHOW
    )


@pytest.mark.parametrize("name", sorted(set(SHOW) - {"demo", *FOR_PROGRAMS_ANYWAY}))
def test_it_takes_json(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert "--json" in options


def test_the_state_of_a_store_is_one_document(run: Run, tmp_path: Path) -> None:
    none = json.loads(run("db", "status", "--json").output)
    assert none["version"] is None
    assert run("db", "upgrade").status == 0
    made = json.loads(run("db", "status", "--json").output)
    assert made["version"] == made["newest"]
    assert (tmp_path / "reelbus.db").exists()
