"""Promises about the repository itself."""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from process.failpoints import POINTS
from process.settings import Settings
from providers.registry import PROVIDERS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS = PROJECT["tool"]["importlinter"]["root_packages"]
LONGEST_MODULE = 250
LONGEST_TEST_MODULE = 400
"""Tests may be longer: a file is one rule with all its cases, and tables of cases are read by the row."""

LONGEST_FUNCTION = 50


@pytest.mark.parametrize("room", ROOMS)
def test_no_other_distribution_owns_our_everyday_names(room: str) -> None:
    assert set(packages_distributions()[room]) == {PROJECT["project"]["name"]}


def test_every_room_is_packaged() -> None:
    assert set(ROOMS) <= set(PROJECT["tool"]["setuptools"]["packages"])


@pytest.mark.parametrize(
    ("folder", "longest"),
    [*((folder, LONGEST_MODULE) for folder in (*ROOMS, "setup", "bench", "docs")), ("tests", LONGEST_TEST_MODULE)],
)
def test_no_module_outgrows_one_sitting(folder: str, longest: int) -> None:
    sizes = {str(path): len(path.read_text().splitlines()) for path in (ROOT / folder).rglob("*.py")}
    assert {path: size for path, size in sizes.items() if size > longest} == {}


@pytest.mark.parametrize("folder", [*ROOMS, "setup"])
def test_no_function_outgrows_one_screen(folder: str) -> None:
    sizes = {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}


def test_the_plan_in_the_docs_is_the_one_that_lint_holds() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["id"] == "layers"]
    drawing = page.split("rooms on one line do not know each other:")[1].split("```")[1]
    assert [set(line.split()) for line in drawing.strip().splitlines()] == [set(line.split(" | ")) for line in layers]
    assert sorted(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == sorted(ROOMS)


def test_every_crash_point_is_reached_by_exactly_one_line() -> None:
    reached = Counter(
        node.args[0].value
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) == "failpoint"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    )
    assert reached.keys() == POINTS
    assert {name for name, count in reached.items() if count != 1} == set()


def test_every_setting_is_shown_to_operators() -> None:
    lines = (ROOT / "deploy" / "env.example").read_text().splitlines()
    shown = {line.lstrip("# ").split("=")[0] for line in lines if "=" in line}
    assert {f"REELBUS_{name.upper()}" for name in Settings.model_fields} - shown == set()


@pytest.mark.parametrize("room", ["jobs", "store", "process", "receiver", "generator", "poller", "publisher"])
def test_a_provider_is_known_by_its_record_alone(room: str) -> None:
    words = {str(word).lower() for name, each in PROVIDERS.items() for word in (name, each.label)}
    told = {
        f"{path}:{node.lineno} {said}"
        for path in (ROOT / room).rglob("*.py")
        for node, said in _said(ast.parse(path.read_text()))
        if any(re.search(rf"(?<![a-z]){word}(?![a-z])" if len(word) < 4 else word, said.lower()) for word in words)
    }
    assert told == set()


@pytest.mark.parametrize("room", ["intake", "receiver", "generator", "poller", "publisher"])
def test_what_changes_more_than_one_table_is_work_of_jobs(room: str) -> None:
    """A room's own function in a transaction may call one module of the store; what decides more is in `jobs`."""
    using = {
        f"{path}:{node.lineno} {node.name}": tables
        for path in (ROOT / room).rglob("*.py")
        for tree in [ast.parse(path.read_text())]
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(argument.arg == "tx" for argument in node.args.args)
        for tables in [{word.id for word in ast.walk(node) if isinstance(word, ast.Name)} & _from_store(tree)]
    }
    assert {name: tables for name, tables in using.items() if len(tables) > 1} == {}


def _from_store(tree: ast.AST) -> set[str]:
    return {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "store"
        for alias in node.names
    }


def _said(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Yield every name and text of a module that does something; docstrings may give examples."""
    idle = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in idle:
            yield node, node.value
        elif isinstance(node, ast.Attribute):
            yield node, node.attr
        elif isinstance(node, ast.Name):
            yield node, node.id


def test_no_class_of_the_tests_has_the_name_of_another() -> None:
    defined = Counter(
        node.name
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    )
    assert {name for name, count in defined.items() if count > 1} == set()
