"""Show what providers answer that their pages do not document, and write it as vectors for tests."""

import json
import sys

from reelbus.terminal import cleaned
from reelbus.video_commands import service


def print_drift(*, as_vectors: bool) -> int:
    """Print every undocumented shape, one a line, for people or as vectors (JSON); give the exit status."""
    with service() as reelbus:
        items = reelbus.drift()
    for item in items:
        sys.stdout.write((json.dumps(_vector(item)) if as_vectors else cleaned(_line(item))) + "\n")
    return 0


def _line(item: dict[str, object]) -> str:
    head = (
        f"{item['provider']:<12} {item['shape']}  {item['status']}  seen {item['seen']} times since {item['first_at']}"
    )
    return f"{head}, read as {item['read_as']}: {json.dumps(item['body'])}"


def _vector(item: dict[str, object]) -> dict[str, object]:
    kept = ("provider", "status", "content_type", "body", "read_as", "release", "shape")
    return {name: item[name] for name in kept}
