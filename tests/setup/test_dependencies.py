"""What a room imports is declared, so that an image without the tools for development is complete."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS = PROJECT["tool"]["importlinter"]["root_packages"]
OPTIONAL = PROJECT["project"]["optional-dependencies"]
OWNERS = packages_distributions()
EXTRAS = {"sandbox": "sandbox", "process/trace_exporter.py": "otel", "poller/object_store.py": "s3"}
"""What may import the distributions of an extra: a room, or one module that is imported only where it is asked for."""


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=;~! ]", requirement)[0] for requirement in requirements}


def _third_parties(source: Path) -> dict[str, set[str]]:
    """Return the modules of others that a file imports, each with the distributions that it may come from."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
    tops = {module.partition(".")[0] for module in modules} - set(ROOMS) - sys.stdlib_module_names
    return {top: {owner.lower().replace("_", "-") for owner in OWNERS.get(top, [top])} for top in tops}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_is_declared(room: str) -> None:
    for source in (ROOT / room).rglob("*.py"):
        extras = {EXTRAS[name] for name in (room, str(source.relative_to(ROOT))) if name in EXTRAS}
        allowed = [*PROJECT["project"]["dependencies"], *(each for extra in extras for each in OPTIONAL[extra])]
        for module, owners in _third_parties(source).items():
            assert owners & _names(allowed), f"{source} imports {module}"


@pytest.mark.parametrize("room", ROOMS)
def test_no_other_distribution_owns_the_name_of_a_room(room: str) -> None:
    assert OWNERS[room] == ["reelbus"]


def test_every_room_is_packaged_checked_and_linted() -> None:
    packaged = {package.partition(".")[0] for package in PROJECT["tool"]["setuptools"]["packages"]}
    assert packaged == set(ROOMS)
    assert packaged <= set(PROJECT["tool"]["mypy"]["packages"])
