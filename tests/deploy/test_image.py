"""The image's recipe finds in the build what its steps read: no step names a file that is left outside."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPE = (ROOT / "deploy" / "Dockerfile").read_text()
INSIDE = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
STAGES = re.split(r"(?m)^FROM ", RECIPE)[1:]


def _copied(stage: str) -> list[str]:
    lines = [line.split() for line in stage.splitlines() if line.startswith("COPY ") and "--from" not in line]
    return [source.rstrip("/") for line in lines for source in line[1:-1]]


def _is_inside(file: str) -> bool:
    return any(file == each or file.startswith(f"{each}/") or fnmatch(file, each) for each in INSIDE)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.split()[-1] if "AS" in stage.split()[:3] else "")
def test_what_is_copied_exists_and_is_in_the_build(stage: str) -> None:
    for source in _copied(stage):
        if source != ".":
            assert (ROOT / source).exists(), source
            assert _is_inside(source), f"{source} is kept out by .dockerignore"


def test_what_a_script_of_the_build_reads_is_copied_with_it() -> None:
    [stage] = [each for each in STAGES if "RUN setup/viewers/install.sh" in each]
    script = (ROOT / "setup" / "viewers" / "install.sh").read_text()
    read = re.findall(r"(?m)^\. (\S+)$", script) + re.findall(r"setup/viewers/[\w.]+\.txt", script)
    assert "setup/packages.sh" in read
    copied = _copied(stage)
    for file in read:
        assert any(file == each or file.startswith(f"{each}/") for each in copied), f"{file} is not copied"
