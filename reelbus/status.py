"""Show a running service at one glance: `reelbus status`."""

import sys
import time
from typing import Any

from reelbus.provider_faults import OFF, faults
from reelbus.terminal import cleaned, has_colours, printable_json
from reelbus.video_commands import service

_WATCH_SECONDS = 2.0
_CLEAR = "\x1b[H\x1b[J"
_STATES = ("accepted", "submitting", "generating")


def show_status(*, watch: bool, as_json: bool) -> int:
    """Print the service's state, with `watch` again and again until Ctrl-C; give the exit status."""
    while True:
        with service() as reelbus:
            status = reelbus.status()
        text = printable_json(status) if as_json else status_text(status)
        on_screen = watch and not as_json and sys.stdout.isatty()
        sys.stdout.write((_CLEAR if on_screen else "") + text + "\n")
        sys.stdout.flush()
        if not watch:
            return 0
        time.sleep(_WATCH_SECONDS)


def status_text(status: dict[str, Any], *, colour: bool | None = None) -> str:
    """Lay a status document out for people, a line a subject."""
    colour = has_colours(sys.stdout) if colour is None else colour
    videos = "  ".join(f"{status['open_videos'].get(state, 0)} {state}" for state in _STATES)
    outbox = status["outbox"]
    waiting = f"{outbox['unpublished']} unpublished"
    if outbox["unpublished"]:
        waiting += f", the oldest for {outbox['oldest_seconds']:.0f} s"
    if outbox["refused"]:
        waiting += f", {outbox['refused']} refused: {outbox['last_error']}"
    parked = (status["commands"] or {}).get("dead_letters")
    lines = [
        ("store", _reachable(status["store"])),
        ("broker", _reachable(status["broker"])),
        *([("public URL", _reachable(address))] if (address := status.get("public_address")) else []),
        ("videos", (True, videos)),
        ("outbox", (not outbox["unpublished"], waiting)),
        ("commands", (not parked, "unknown" if parked is None else f"{parked} parked (reelbus dead list)")),
        *((name, _provider(provider)) for name, provider in status["providers"].items()),
    ]
    return "\n".join(cleaned(f"{name:<12} ") + _painted(text, good=good, colour=colour) for name, (good, text) in lines)


def _reachable(link: dict[str, Any] | None) -> tuple[bool, str]:
    if link is None:
        return True, "this process has none"
    return link["ready"], "ready" if link["ready"] else str(link["fault"])


def _provider(provider: dict[str, Any]) -> tuple[bool, str]:
    if not provider["enabled"]:
        return True, f"off: {OFF}"
    fault = next(faults(provider), None)
    return fault is None, fault.says if fault else "takes work"


def _painted(text: str, *, good: bool, colour: bool) -> str:
    shown = cleaned(text)
    return shown if good or not colour else f"\x1b[31m{shown}\x1b[0m"
