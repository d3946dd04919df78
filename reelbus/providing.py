"""See how the providers are doing, and let one rest for a while."""

import json
import sys
from typing import Any

from reelbus.provider_faults import OFF, faults
from reelbus.terminal import cleaned
from reelbus.video_commands import service


def print_providers(*, as_json: bool) -> int:
    """Print every provider, one a line; give the exit status."""
    with service() as reelbus:
        items = reelbus.providers()
    for item in items:
        sys.stdout.write((json.dumps(item) if as_json else cleaned(_row(item))) + "\n")
    return 0


def pause_provider(name: str) -> int:
    """Give a provider no new work until it is resumed; print how it is then, and give the exit status."""
    with service() as reelbus:
        return _print(reelbus.pause(name))


def resume_provider(name: str) -> int:
    """Give a provider work again; print how it is then, and give the exit status."""
    with service() as reelbus:
        return _print(reelbus.resume(name))


def _print(item: dict[str, Any]) -> int:
    sys.stdout.write(cleaned(_row(item)) + "\n")
    return 0


def _row(item: Any) -> str:  # noqa: ANN401 - a JSON document
    return f"{item['name']:<12} {item['state']:<14} {_detail(item)}".rstrip()


def _detail(item: Any) -> str:  # noqa: ANN401 - a JSON document
    if not item["enabled"]:
        return OFF
    return next((fault.says for fault in faults(item)), "")
