"""What a newcomer types first: make in a cold checkout, Ctrl-C, a wheel in an empty folder."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("REELBUS_")}

_OLD = 1_000_000_000

pytestmark = pytest.mark.timeout(420)


def _files() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    return [name for name in listed.stdout.splitlines() if not name.startswith(("tests/", "docs/"))]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a copy of the source as it stands, with nothing made in it but RabbitMQ fetched."""
    folder = tmp_path / "checkout"
    for name in _files():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
            os.utime(folder / name, (_OLD, _OLD))  # no .venv that is put beside it is out of date
    if (ROOT / "receiver/viewers/.done").exists():
        shutil.copytree(ROOT / "receiver/viewers", folder / "receiver/viewers")
    (folder / ".run").mkdir()
    (folder / ".run/rabbitmq").symlink_to(ROOT / ".run/rabbitmq")
    return folder


def test_two_cold_makes_at_once_make_one_sound_environment(checkout: Path) -> None:
    makes = [
        subprocess.Popen(
            ["make", ".venv/.runtime"], cwd=checkout, env=CLEAN, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(2)
    ]
    outputs = [make.communicate(timeout=360)[0].decode() for make in makes]
    assert [make.returncode for make in makes] == [0, 0], outputs
    version = subprocess.run(
        [checkout / ".venv/bin/reelbus", "--version"], capture_output=True, text=True, timeout=60, check=True
    )
    assert version.stdout.startswith("reelbus ")


def test_ctrl_c_ends_make_run_without_a_complaint(checkout: Path) -> None:
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    terminal, side = pty.openpty()
    make = subprocess.Popen(
        ["setsid", "--ctty", "--wait", "make", "run", f"ARGS=--port {free_port()}"],
        cwd=checkout, env=CLEAN, stdin=side, stdout=side, stderr=side,
    )  # fmt: skip
    os.close(side)
    try:
        shown = _until(terminal, b"stop       Ctrl-C")
        assert b"development only" in shown
        os.write(terminal, b"\x03")
        shown += _until(terminal, None)
        assert make.wait(timeout=60) in {0, 130, -2}
    finally:
        make.kill()
        os.close(terminal)
    assert b"make: ***" not in shown, shown.decode()
    assert b"Traceback" not in shown, shown.decode()


def _until(terminal: int, words: bytes | None) -> bytes:
    """Read what is shown until these words, or until whoever writes is gone."""
    shown = b""
    give_up_at = time.monotonic() + 240
    while words is None or words not in shown:
        assert time.monotonic() < give_up_at, shown.decode()
        if select.select([terminal], [], [], 1.0)[0]:
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # the last writer closed the terminal
                return shown
    return shown


def test_an_installed_wheel_demonstrates_itself_in_an_empty_folder(tmp_path: Path, checkout: Path) -> None:
    wheels, fresh, empty = tmp_path / "dist", tmp_path / "fresh", tmp_path / "empty"
    empty.mkdir()
    uv = BIN / "uv"
    build = [uv, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable]
    _run(*build, "--out-dir", wheels, folder=checkout)
    [wheel] = wheels.glob("*.whl")
    _run(uv, "venv", "--quiet", "--python", sys.executable, fresh, folder=tmp_path)
    _run(uv, "pip", "install", "--quiet", "--python", fresh / "bin/python", wheel, folder=tmp_path)
    cache = tmp_path / "cache/reelbus"
    cache.mkdir(parents=True)
    (cache / "rabbitmq").symlink_to(ROOT / ".run/rabbitmq")

    demo = _run(fresh / "bin/reelbus", "demo", folder=empty, XDG_CACHE_HOME=str(tmp_path / "cache"))

    assert demo.count("video.ready.") == 2
    assert demo.count("video.failed.") == 1
    assert list(empty.iterdir()) == []


def _run(*words: object, folder: Path, **env: str) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        cwd=folder, env={**CLEAN, **env}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
