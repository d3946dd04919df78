"""Every command of the pages for newcomers runs beside `reelbus dev` as printed; only ports differ."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.dev import ROOT, Dev, run_in
from tests.support.ports import free_port

pytestmark = pytest.mark.timeout(360)

PAGES = [ROOT / name for name in ("README.md", "docs/quickstart.md", "docs/subscribing.md")]
BLOCKS = [block for page in PAGES for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)]
LINES = {line.split("  #")[0].strip() for block in BLOCKS for line in block.splitlines()}
ENDING = sorted(line for line in LINES if re.match(r"curl |reelbus (?:submit|trigger|doctor)\b", line))
STAYING = {
    "reelbus watch": "video.ready",
    "reelbus listen --forward http://localhost:3000/hook": "204",
    "set -a; . .run/env; set +a\npython examples/python/with_aio_pika.py": "handled",
}
"""What goes on until it is interrupted, with what it has printed once a video is ready."""

ELSEWHERE = {
    "make demo": "tests/setup/test_from_cold.py",
    "make run": "tests/setup/test_from_cold.py",
    "make test": "is what runs this",
    "make lint": "is run before every change",
    "make chaos": "tests/chaos",
    "make fuzz": "tests/fuzz",
    "make bench": "is run for docs/performance.md",
    "reelbus run": "tests/reelbus/test_command_line.py",
    "reelbus check-subscriber shop.videos": "test_the_check_of_a_subscriber_is_run_against_one",
    "set -a; . .run/env; set +a": "STAYING",
    "python examples/python/with_aio_pika.py": "STAYING",
}
"""What runs somewhere else."""


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    dev = Dev(tmp_path_factory.mktemp("dev"), free_port())
    shutil.copytree(ROOT / "examples", dev.folder / "examples")
    dev.until("Ctrl-C")
    yield dev
    if dev.process.poll() is None:
        dev.stop()


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def hook() -> Iterator[str]:
    """Give the address of an endpoint that takes every event."""
    server = HTTPServer(("127.0.0.1", 0), _Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def here(dev: Dev, command: str, hook: str = "") -> str:
    """Give a command with the ports of this test."""
    return command.replace("http://127.0.0.1:8080", dev.url).replace("localhost:3000", hook)


def test_no_line_escapes() -> None:
    staying = {line for command in STAYING for line in command.splitlines()}
    assert LINES - set(ENDING) - staying - set(ELSEWHERE) == set()
    assert len(ENDING) >= 4


@pytest.mark.parametrize("command", ENDING)
def test_a_command_that_ends_runs_as_printed(dev: Dev, command: str) -> None:
    done = subprocess.run(
        ["sh", "-c", here(dev, command)],
        cwd=dev.folder, env=dev.environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"code"' not in done.stdout
    assert done.stdout.strip()


@pytest.mark.parametrize("command", STAYING)
def test_a_command_that_stays_runs_as_printed(dev: Dev, hook: str, command: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output:
        staying = subprocess.Popen(
            ["bash", "-c", here(dev, command, hook)],
            cwd=dev.folder, env=dev.environment(PYTHONUNBUFFERED="1"), stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        give_up_at = time.monotonic() + 120
        while STAYING[command] not in log.read_text():
            assert staying.poll() is None, log.read_text()
            assert time.monotonic() < give_up_at, log.read_text()
            run_in(dev, "submit", ".run/house.jpg", "--motion", "zoom_in", "--provider", "iacrea", "--wait")
    finally:
        os.killpg(staying.pid, signal.SIGINT)
        staying.wait(60)
    assert "Traceback" not in log.read_text() or "KeyboardInterrupt" in log.read_text()


def test_the_check_of_a_subscriber_is_run_against_one(dev: Dev, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output:
        subscriber = subprocess.Popen(
            ["bash", "-c", "set -a; . .run/env; set +a; exec python examples/python/with_aio_pika.py"],
            cwd=dev.folder, env=dev.environment(QUEUE="shop.videos"), stdout=output, stderr=output,
        )  # fmt: skip
    try:
        give_up_at = time.monotonic() + 120
        while "subscribed" not in log.read_text():
            assert time.monotonic() < give_up_at, log.read_text()
            time.sleep(0.05)
        checked = run_in(dev, "check-subscriber", "shop.videos")
    finally:
        subscriber.kill()
        subscriber.wait()
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "FAIL" not in checked.stdout
