"""The SBOM names the viewers too, and advisories are only said to be absent where a database was asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from setup.sbom import completed, judge, main

ROOT = Path(__file__).parents[2]
PINNED = (ROOT / "setup/viewers/packages.txt").read_text()


def test_the_viewers_stand_in_it_with_the_hashes_that_are_checked() -> None:
    document = completed({"components": [{"name": "yarl", "description": "requirements line 1: --hash="}]}, PINNED)
    assert [component["name"] for component in document["components"]] == ["yarl", "redoc", "swagger-ui-dist"]
    assert "description" not in document["components"][0]
    assert document["components"][1]["purl"].startswith("pkg:npm/redoc@")
    assert len(document["components"][1]["hashes"][0]["content"]) == 128


def test_every_viewer_is_pinned_by_version_and_integrity() -> None:
    for line in PINNED.splitlines():
        _name, version, integrity = line.split()
        assert version.count(".") == 2
        assert integrity.startswith("sha512-")
        assert len(integrity) == len("sha512-") + 88


def _package(**more: Any) -> dict[str, Any]:
    return {"name": "jinja2", "version": "2.4.1", **more}


KNOWN = {"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"]}


@pytest.mark.parametrize(
    ("package", "status", "words"),
    [
        (_package(vulns=[]), 0, "no advisory for any of 1 packages"),
        (_package(vulns=[KNOWN]), 1, "jinja2 2.4.1: PYSEC-2019-217, mended in 2.10.1"),
        (_package(vulns=[{**KNOWN, "fix_versions": []}]), 1, "mended in none"),
        ({"name": "jinja2", "skip_reason": "not found, could not be audited"}, 3, "jinja2: not found"),
    ],
    ids=["sound", "advisory", "unmended", "not asked"],
)
def test_an_answer_is_judged_by_what_was_asked(
    package: dict[str, Any], status: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"dependencies": [package]}))
    assert main(["--advisories", str(answer)]) == status
    assert words in capsys.readouterr().out


def test_an_advisory_outweighs_what_was_not_asked() -> None:
    assert judge({"dependencies": [_package(vulns=[KNOWN]), {"name": "x", "skip_reason": "y"}]}) == 1
