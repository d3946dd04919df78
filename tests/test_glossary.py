"""The field's terms lead to the code: each is found by grep in the places that the glossary names, and in the docs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = [*(ROOT / "docs").glob("**/*.md"), *(ROOT / name for name in ("README.md", "SECURITY.md", "tests/README.md"))]
WANTED = {
    "SSRF", "DNS rebinding", "slowloris", "group commit", "backoff", "middleware", "rate limiter", "graceful shutdown",
    "dead letter", "failpoint", "publisher confirm", "transactional outbox", "liveness", "readiness", "lease",
    "fencing", "idempotency key", "back-pressure", "load shedding", "circuit breaker", "reconciliation", "webhook",
    "decompression bomb", "fault injection", "health check", "jitter", "mutation test",
}  # fmt: skip
ROWS = [
    [cell.strip() for cell in line.strip("|\n ").split("|")]
    for line in (ROOT / "docs" / "glossary.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| term", "| ---"))
]
NAMED = [(row[0], name) for row in ROWS for name in re.findall(r"`([^`]+)`", row[2])]
TERMS = [(term.strip(), row[2]) for row in ROWS for term in row[0].split(",")]


def says(text: str, term: str) -> bool:
    """Say whether a text has a term, however it is broken into lines, hyphenated or put into the plural."""
    words = r"[\s-]+".join(map(re.escape, re.split(r"[\s-]+", term)))
    return re.search(rf"\b{words}", text, re.IGNORECASE) is not None


def greps(path: Path, term: str) -> bool:
    """Say whether `grep -i` for a term finds a line of a file, as somebody who has never seen the code would search."""
    return any(term.lower() in line.lower() for line in path.read_text().splitlines())


def places(cell: str) -> list[Path]:
    return [path for name in re.findall(r"`([^`]+)`", cell) for path in sorted(ROOT.glob(name)) or [ROOT / name]]


def test_the_glossary_has_every_term_that_a_maintainer_would_search_for() -> None:
    assert WANTED - {term for term, _ in TERMS} == set()


@pytest.mark.parametrize(("term", "cell"), TERMS, ids=[term for term, _ in TERMS])
def test_a_term_is_found_where_the_glossary_says(term: str, cell: str) -> None:
    found = places(cell)
    assert found
    assert [str(path) for path in found if not path.is_file()] == []
    assert any(greps(path, term) for path in found), f"grep finds {term!r} in no file of {cell}"


@pytest.mark.parametrize(("terms", "name"), NAMED, ids=[name for _, name in NAMED])
def test_every_place_that_the_glossary_names_says_its_term(terms: str, name: str) -> None:
    assert any(says(path.read_text(), term.strip()) for path in places(f"`{name}`") for term in terms.split(","))


@pytest.mark.parametrize("term", [term for term, _ in TERMS])
def test_a_term_is_found_in_the_docs(term: str) -> None:
    assert any(says(path.read_text(), term) for path in DOCS if path.name != "glossary.md")
