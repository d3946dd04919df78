"""Show what providers answer that their pages do not document, and write it as vectors for tests."""

import json
import sys
from collections.abc import Callable

from reelbus.terminal import cleaned, printable_json
from reelbus.video_commands import service


def print_drift(show: Callable[[dict[str, object]], str]) -> int:
    """Print every undocumented shape, one a line as `show` writes it; give the exit status."""
    with service() as reelbus:
        items = reelbus.drift()
    for item in items:
        sys.stdout.write(show(item) + "\n")
    return 0


def line(item: dict[str, object]) -> str:
    """Write a shape for people."""
    head = (
        f"{item['provider']:<12} {item['shape']}  {item['status']}  seen {item['seen']} times since {item['first_at']}"
    )
    return cleaned(f"{head}, read as {item['read_as']}: {json.dumps(item['body'])}")


def vector(item: dict[str, object]) -> str:
    """Write a shape as a vector for tests."""
    kept = ("provider", "status", "content_type", "body", "read_as", "release", "shape")
    return printable_json({name: item[name] for name in kept})
