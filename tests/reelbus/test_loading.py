"""A role or a command loads what it needs and no more: that is most of what its start costs, and much of its memory."""

import subprocess
import sys

import pytest

from tests.support.service import ROOT

DATABASE = {"psycopg"}
ASKING = {"aiohttp"}
BROKER = {"aio_pika", "aiormq", "pamqp"}
SERVING = {"uvicorn", "limits"}
COMMANDS = {"httpx"}
PICTURES = {"PIL"}
EVERYTHING = DATABASE | ASKING | BROKER | SERVING | COMMANDS | PICTURES

A_ROLE = """
import reelbus.service
from process.settings import Settings
from reelbus.roles import Role, starts
starts(Settings(), [Role(role) for role in {roles}])
"""


def loaded(program: str) -> set[str]:
    """Run a program and give which of the heavy libraries it loaded."""
    told = f"{program}\nimport sys\nprint(*(name for name in {EVERYTHING!r} if name in sys.modules))"
    ended = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(ended.stdout.split())


@pytest.mark.parametrize(
    ("roles", "needed"),
    [
        (["receiver"], SERVING | BROKER | COMMANDS),
        (["generator"], ASKING),
        (["poller"], ASKING),
        (["publisher"], BROKER),
        (["receiver", "generator", "poller", "publisher"], SERVING | BROKER | COMMANDS | ASKING),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_a_role_loads_its_own_libraries_alone(roles: list[str], needed: set[str]) -> None:
    assert loaded(A_ROLE.format(roles=roles)) == needed


@pytest.mark.parametrize(
    ("module", "needed"),
    [
        ("reelbus.cli", set()),
        ("reelbus.keys", set()),
        ("reelbus.database_commands", set()),
        ("reelbus.video_commands", COMMANDS),
        ("reelbus.status", COMMANDS),
        ("reelbus.watching", BROKER),
    ],
)
def test_a_command_loads_its_own_libraries_alone(module: str, needed: set[str]) -> None:
    assert loaded(f"import {module}") == needed


def test_the_driver_of_postgresql_is_loaded_by_its_address() -> None:
    program = "from store.database import dialect_of\ndialect_of({url!r})"
    assert loaded(program.format(url="sqlite:///here.db")) == set()
    assert loaded(program.format(url="postgresql://host/reelbus")) == DATABASE
