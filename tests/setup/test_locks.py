"""The locks pin every package by hash and know no address, so that any machine's own index serves."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "locks").glob("*.txt"))
PACKAGE = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def _packages(lock: Path) -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for name, version in PACKAGE.findall(lock.read_text()):
        versions.setdefault(name, set()).add(version)
    return versions


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_holds_names_versions_and_hashes_alone(lock: Path) -> None:
    text = lock.read_text()
    assert "/" not in text
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert PACKAGE.match(entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("name", ["image", "runtime", "build"])
def test_every_smaller_lock_agrees_with_the_one_for_development(name: str) -> None:
    development = _packages(ROOT / "locks/dev.txt")
    for package, versions in _packages(ROOT / f"locks/{name}.txt").items():
        assert versions <= development[package], package


def test_the_image_leaves_out_the_video_encoder() -> None:
    assert "imageio-ffmpeg" not in _packages(ROOT / "locks/image.txt")
    assert "imageio-ffmpeg" in _packages(ROOT / "locks/runtime.txt")
