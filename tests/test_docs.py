"""What the documentation shows is what the repository holds."""

import re
import subprocess
from pathlib import Path

import pytest

from schemas.names import ErrorCode

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    Path(name)
    for name in subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, check=True, text=True, capture_output=True
    ).stdout.split()
)
INCLUDED = re.compile(r"<!-- include (\S+) -->\n```\w+\n(.*?)```\n", re.DOTALL)
GENERATED = re.compile(r"(?:\.\./)?reference/[a-z-]+\.md")
"""Pages of the site that are made from the code; tests/docs/test_site.py follows these links."""

LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"\b(?:fail|fails|failed|failing|end|ends|ended) (?:with|as) `([a-z_]+)`")
PLACE = re.compile(r"`((?:[\w-]+/)+[\w.-]+\.\w+)`")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_included_file_is_shown_as_it_is(page: Path) -> None:
    for name, shown in INCLUDED.findall((ROOT / page).read_text()):
        assert shown == (ROOT / name).read_text(), f"{page} shows another {name}: copy the file's text into it"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    linked = LINK.findall((ROOT / page).read_text())
    dead = [name for name in linked if not (ROOT / page.parent / name).exists()]
    assert [name for name in dead if not GENERATED.fullmatch(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_file_of_ours_that_a_page_names_exists(page: Path) -> None:
    """Pages may name tests without their folder `tests/`; a name in capitals stands for any."""
    named = {name for name in PLACE.findall((ROOT / page).read_text()) if not re.search(r"[A-Z]{2}", name)}
    ours = {name for name in named if (ROOT / name.split("/")[0]).is_dir()}
    assert {name for name in ours if not (ROOT / name).exists() and not (ROOT / "tests" / name).exists()} == set()


def test_every_folder_of_tests_has_its_line() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "tests/README.md").read_text(), re.MULTILINE))
    assert {path.parent.name for path in (ROOT / "tests").glob("*/*.py")} == told


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_code_that_videos_are_said_to_fail_with_is_one(page: Path) -> None:
    assert set(CODE.findall((ROOT / page).read_text())) <= set(ErrorCode)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_prose_of_a_page_is_wrapped_at_120_columns(page: Path) -> None:
    """Tables, code, comments, headings and pictures are as wide as they are."""
    prose = re.sub(r"^ *```.*?^ *```", "", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE)
    as_they_are = ("|", "<", "#", "![", ">")
    lines = [line for line in prose.splitlines() if not line.lstrip().startswith(as_they_are)]
    assert [line for line in lines if len(line) > 120] == []
