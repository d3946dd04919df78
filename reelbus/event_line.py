"""Show an event as one aligned line for people."""

import json
from typing import Any

from reelbus.terminal import one_line

_KEY_WIDTH = len("video.submitted.homedesigns")
_COLOURS = {"video.ready": "32", "video.failed": "31", "video.fallback": "33", "video.late": "33"}


def event_line(routing_key: str, body: bytes, *, colour: bool = False) -> str:
    """Write time, routing key, the video's id and what there is to know; what is no event of ours as it came."""
    try:
        event = json.loads(body)
        told = [one_line(word) for word in (event["data"]["id"], *_details(event["data"]))]
        time = one_line(event["time"][11:23])
        key = f"{one_line(routing_key):<{_KEY_WIDTH}}"
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return one_line(body.decode(errors="replace"))
    if colour and event.get("type") in _COLOURS:
        key = f"\x1b[{_COLOURS[event['type']]}m{key}\x1b[0m"
    return f"{time}  {key}  {'  '.join(told)}"


def short_line(routing_key: str, body: bytes) -> str:
    """Write time, routing key and the video's id alone."""
    try:
        event = json.loads(body)
        return f"{one_line(event['time'][11:19])} {one_line(routing_key)} {one_line(event['data']['id'])}"
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return one_line(body.decode(errors="replace"))


def video_id(body: bytes) -> str:
    """Give the id of the event's video; what is no event of ours as it came."""
    try:
        return one_line(json.loads(body)["data"]["id"])
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return one_line(body.decode(errors="replace"))


def _details(video: dict[str, Any]) -> list[str]:
    details = []
    if video["status"] == "ready":
        details += [f"found by {video['detected_by']}", *video["output_urls"]]
    if video.get("error"):
        details.append(f"{video['error']['code']}: {video['error']['message']}")
    if video.get("refund"):
        credits_back = video["refund"]["credits"]
        details.append(f"credit {video['refund']['status']}" + ("" if credits_back is None else f" ({credits_back})"))
    return [*details, *(f"{name}={value}" for name, value in video["metadata"].items())]
