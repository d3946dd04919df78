"""The documentation is built as a site without a warning, in a few seconds, and asks no other host for anything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ASSET = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=[\"']?(https?:)?//", re.IGNORECASE)
STYLE_ASSET = re.compile(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", re.IGNORECASE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    # --strict: a link or an anchor that leads nowhere, or a page that no menu names, ends the build.
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_nothing_is_fetched_from_another_host(site: Path) -> None:
    pages = list(site.glob("**/*.html"))
    assert len(pages) > 20
    assert [page.name for page in pages if ASSET.search(page.read_text())] == []
    assert [style.name for style in site.glob("**/*.css") if STYLE_ASSET.search(style.read_text())] == []


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("configuration", "REELBUS_EVENT_SIGNING_SECRET"),
        ("events", "cloudEvents_type"),
        ("errors", "idempotency_conflict"),
        ("command-line", "reelbus webhook replay"),
        ("metrics", "reelbus_events_published"),
        ("providers", "REELBUS_HOMEDESIGNS_TOKEN"),
    ],
)
def test_the_reference_is_made_from_the_code(site: Path, page: str, words: str) -> None:
    assert words in (site / "reference" / f"{page}.html").read_text()


def test_llms_txt_names_every_page_of_the_menu(site: Path) -> None:
    listed = re.findall(r"\]\((\S+)\)", (site / "llms.txt").read_text())
    assert {"quickstart.html", "subscribing.html", "reference/events.html"} <= set(listed)
    assert [name for name in listed if not (site / name).exists()] == []
