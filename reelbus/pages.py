"""Open the service's pages in a browser."""

import sys
import webbrowser

from reelbus.errors import settings_or_exit

PAGES = {"console": "/console", "docs": "/docs", "events": "/docs/events"}


def open_in_browser(page: str) -> None:
    """Print the page's address, and open it where there is a browser."""
    settings = settings_or_exit()
    address = (settings.url or settings.local_url) + PAGES[page]
    sys.stdout.write(address + "\n")
    sys.stdout.flush()
    if not webbrowser.open(address):
        sys.stderr.write("no browser could be opened here; open the address above\n")
