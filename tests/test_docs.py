"""What the documentation shows is what the repository holds."""

import re
import subprocess
from pathlib import Path

import pytest

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
PLACE = re.compile(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?)`")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_included_file_is_shown_as_it_is(page: Path) -> None:
    for name, shown in INCLUDED.findall((ROOT / page).read_text()):
        assert shown == (ROOT / name).read_text(), f"{page} shows another {name}: copy the file's text into it"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    linked = LINK.findall((ROOT / page).read_text())
    dead = [name for name in linked if not (ROOT / page.parent / name).exists()]
    assert [name for name in dead if not GENERATED.fullmatch(name)] == []


def test_every_place_that_the_glossary_names_exists() -> None:
    places = PLACE.findall((ROOT / "docs/glossary.md").read_text())
    assert len(places) >= 20
    assert [place for place in places if not (ROOT / place).exists()] == []
