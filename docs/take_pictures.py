"""Take docs/pictures of the console anew, beside `make run`: `python -m docs.take_pictures http://127.0.0.1:8080`."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent / "pictures"


def main(url: str) -> None:
    """Take a picture of the list, and one of a finished video."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1360, "height": 820})
        page.goto(f"{url}/console")
        page.locator(".chip[data-status=ready]").nth(1).wait_for()
        page.locator("#live[data-state=on]").wait_for()
        page.wait_for_load_state("load")
        page.evaluate('Promise.all([...document.querySelectorAll(".thumb img")].map((image) => image.decode()))')
        page.screenshot(path=FOLDER / "console.png")
        page.locator("tr", has=page.locator(".chip[data-status=ready]")).first.click()
        page.locator("#detail video").evaluate(
            "(clip) => clip.readyState > 3 || new Promise((on) => { clip.oncanplaythrough = on; })"
        )
        page.locator(".timeline li").first.wait_for()
        page.locator("#detail").evaluate("(drawer) => Promise.all(drawer.getAnimations().map((each) => each.finished))")
        page.screenshot(path=FOLDER / "console-video.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
