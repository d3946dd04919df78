"""Every command that a page shows is one that there is: its options, its make target, its shell grammar."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from reelbus.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("*/README.md"))]
BLOCK = re.compile(r"^(?:<!-- .* -->\n)?```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`(reelbus [^`\n]+)`")
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
HOLDS_CHOICES = re.compile(r"[|…·\[\]]|\.\.\.")


def _shell() -> list[str]:
    """Give every line of every block of shell, without prompts, comments and what a command printed."""
    lines = []
    for page in PAGES:
        for language, block in BLOCK.findall(page.read_text()):
            if language == "sh":
                lines += block.replace("\\\n", " ").splitlines()
            if language == "console":
                lines += [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _words(line: str) -> list[str]:
    words = shlex.split(line, comments=True)
    end = next((place for place, word in enumerate(words) if word in {"|", ">", "&&", ";", "&"}), len(words))
    return [word for word in words[:end] if not re.match(r"[A-Z_]+=", word)]


REELBUS = sorted(
    {line for line in _shell() if _words(line)[:1] == ["reelbus"]}
    | {line for page in PAGES for line in INLINE.findall(page.read_text()) if not HOLDS_CHOICES.search(line)}
)
MAKE = sorted({line for line in _shell() if _words(line)[:1] == ["make"]})


def test_pages_show_commands() -> None:
    assert len(REELBUS) > 20
    assert len(MAKE) > 5


def _parsed(command: Any, words: list[str], parent: Any) -> None:
    """Go down the words as the command line would, without running anything."""
    context = command.make_context(words[0], words[1:], parent=parent, resilient_parsing=False)
    if not hasattr(command, "commands"):
        return
    rest = [*context._protected_args, *context.args]
    if rest:
        name, found, _ = command.resolve_command(context, rest)
        assert found is not None, name
        _parsed(found, rest, context)


@pytest.mark.parametrize("line", REELBUS)
def test_the_command_line_takes_it(line: str) -> None:
    words = _words(line)
    if words[-1] in {"--help", "--version", "--install-completion"}:
        return
    root = typer.main.get_command(app)
    if "--" not in line and "<" not in line and _names_a_command_alone(words):
        return
    _parsed(root, words, None)


def _names_a_command_alone(words: list[str]) -> bool:
    """Say whether prose names a command without its arguments, as in `reelbus submit`."""
    command: Any = typer.main.get_command(app)
    for word in words[1:]:
        commands = getattr(command, "commands", {})
        if word not in commands:
            return False
        command = commands[word]
    return True


@pytest.mark.parametrize("line", MAKE)
def test_make_has_its_target(line: str) -> None:
    assert {word for word in _words(line)[1:] if "=" not in word} <= TARGETS


def test_every_line_is_shell() -> None:
    checked = subprocess.run(
        ["bash", "-n"], input="\n".join(_shell()), text=True, capture_output=True, check=False, timeout=20
    )
    assert checked.returncode == 0, checked.stderr
