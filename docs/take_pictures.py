"""Take docs/pictures of the console anew: `make pictures`. A service of its own is started for it, and ended."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Page, sync_playwright

from reelbus.picture import house

FOLDER = Path(__file__).parent / "pictures"
ROOT = FOLDER.parents[1]
_START_SECONDS = 120
_ORDERS = (
    ("iacrea", "zoom_in", "kitchen"),
    ("homedesigns", "rotate_cw", "garden"),
    ("iacrea", "pan_left", "hall"),
    ("homedesigns", "zoom_out", "roof"),
)


def main() -> None:
    """Take a picture of the list, and one of a finished video."""
    with _service() as url, sync_playwright() as playwright:
        program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1360, "height": 820})
        _make_videos(url)
        _take_list(page, url)
        _take_video(page)
        browser.close()


@contextmanager
def _service() -> Iterator[str]:
    """Run `reelbus dev` in a folder that goes away with it, and give its address."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("REELBUS_")}
    with tempfile.TemporaryDirectory(prefix="reelbus-pictures-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "reelbus", "dev", "--port", "0"],
            cwd=folder,
            env={**env, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
        )
        try:
            yield _address(process, Path(folder, ".run", "env"))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _address(process: "subprocess.Popen[bytes]", told: Path) -> str:
    """Wait until the service is ready and has told where it is."""
    give_up_at = time.monotonic() + _START_SECONDS
    while not told.exists():
        if process.poll() is not None or time.monotonic() > give_up_at:
            raise SystemExit("the service did not start; what it said is above")
        time.sleep(0.1)
    lines = dict(line.split("=", 1) for line in told.read_text().splitlines() if "=" in line)
    return lines["REELBUS_URL"].strip("'\"")


def _make_videos(url: str) -> None:
    """Have some videos made besides the samples, and wait for their ends."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        for number, (provider, motion, room) in enumerate(_ORDERS):
            form = {"provider": provider, "motion": motion, "metadata": f'{{"room": "{room}"}}'}
            picture = ("house.jpg", house(evening=number % 2 == 1), "image/jpeg")
            asked = http.post("/v1/videos", data=form, files={"image": picture}).raise_for_status().json()
            http.get(f"/v1/videos/{asked['id']}", headers={"prefer": "wait=30"}).raise_for_status()


def _take_list(page: Page, url: str) -> None:
    page.goto(f"{url}/console")
    page.locator(".chip[data-status=ready]").nth(len(_ORDERS)).wait_for()
    page.locator("#live[data-state=on]").wait_for()
    page.wait_for_load_state("load")
    page.evaluate('Promise.all([...document.querySelectorAll(".thumb img")].map((image) => image.decode()))')
    page.screenshot(path=FOLDER / "console.png")


def _take_video(page: Page) -> None:
    page.locator("tr", has=page.locator(".chip[data-status=ready]")).first.click()
    page.locator("#detail video").evaluate(
        "(clip) => clip.readyState > 3 || new Promise((on) => { clip.oncanplaythrough = on; })"
    )
    page.locator(".timeline li").first.wait_for()
    page.locator("#detail").evaluate("(drawer) => Promise.all(drawer.getAnimations().map((each) => each.finished))")
    page.screenshot(path=FOLDER / "console-video.png")


if __name__ == "__main__":
    main()
