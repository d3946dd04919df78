"""See how the providers are doing, and let one rest for a while."""

import json
import sys
from typing import Any

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
    detail = ""
    match item["state"]:
        case "off":
            detail = "has no credentials here"
        case "paused":
            detail = f"since {item['paused_since']} by {item['paused_by']}"
        case "refusing":
            detail = f"refuses our key since {item['unauthorized_since']}"
        case "out_of_credits":
            detail = f"no credits are left; submissions are refused since {item['out_of_credits_since']}"
        case "away" | "testing":
            circuit = item["circuit"]
            detail = f"since {circuit['since']}: {circuit['reason']}; tested again at {circuit['probe_at']}"
        case "throttled":
            detail = f"asked us to wait until {item['paused_until']}"
    return detail
