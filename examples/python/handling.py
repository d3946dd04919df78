"""What a subscriber does with an event, whichever client library brought it.

`handle(body, headers)` acts on one message and returns when its effect is on disk; only then may the message be
acknowledged. It raises `Unreadable` for what no later try can read: that goes to the dead-letter queue.
"""

import base64
import hmac
import json
import os
import sqlite3
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DATABASE = os.environ.get("DATABASE", "subscriber.db")
CLIPS = Path(os.environ.get("CLIPS", "clips"))
SIGNING_SECRET = os.environ.get("SIGNING_SECRET", "")  # one of reelbus's REELBUS_EVENT_SIGNING_SECRET


class Unreadable(Exception):
    """The message is no event that this program can read or believe."""


def handle(body: bytes, headers: Mapping[str, Any] | None) -> None:
    """Act on one event, exactly once however often it is delivered."""
    if SIGNING_SECRET:
        _verify(body, headers or {})
    event = _read(body)
    if event.get("reelbustest") or event["type"] not in {"video.ready", "video.failed"}:
        print(event["type"], event["id"], "ignored", flush=True)  # a test event, or a type newer than this program
        return
    # Slow work comes before the transaction and may be repeated; the addresses expire, so it is not put off.
    clip = _download(event) if event["type"] == "video.ready" else None
    with sqlite3.connect(DATABASE, timeout=30) as database:
        _create_tables(database)
        is_new = database.execute("INSERT OR IGNORE INTO handled (event_id) VALUES (?)", (event["id"],)).rowcount
        if is_new:  # in the same transaction as what it does
            video = event["data"]
            database.execute(
                "INSERT INTO listings (video_id, status, clip, trace) VALUES (?, ?, ?, ?)",
                (video["id"], video["status"], clip, event.get("traceparent")),
            )
    database.close()
    print(event["type"], event["id"], "handled" if is_new else "a duplicate", flush=True)


def _verify(body: bytes, headers: Mapping[str, Any]) -> None:
    """Check the Standard Webhooks signature. Its time is not looked at: a durable queue may keep an event for days."""
    signed = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
    key = base64.b64decode(SIGNING_SECRET.removeprefix("whsec_"))
    right = b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256"))
    given = str(headers.get("webhook-signature")).encode().split()
    if not any(hmac.compare_digest(right, each) for each in given):
        raise Unreadable("its signature is missing or wrong")


def _read(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
        if event["specversion"] == "1.0" and isinstance(event["id"], str) and isinstance(event["type"], str):
            return dict(event)
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(str(error)) from error
    raise Unreadable("this is no CloudEvents 1.0 event")


def _download(event: dict[str, Any]) -> str:
    """Copy the clip to a file of the event's own; the name makes a repetition harmless."""
    CLIPS.mkdir(parents=True, exist_ok=True)
    path = CLIPS / f"{event['id']}.mp4"
    request = urllib.request.Request(event["data"]["output_urls"][0])  # noqa: S310 - reelbus gives http(s) only
    if "traceparent" in event:
        request.add_header("traceparent", event["traceparent"])
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - as above
        partial = path.with_suffix(".part")
        partial.write_bytes(response.read())
    partial.replace(path)
    return str(path)


def _create_tables(database: sqlite3.Connection) -> None:
    database.execute("CREATE TABLE IF NOT EXISTS handled (event_id TEXT PRIMARY KEY)")
    database.execute(
        "CREATE TABLE IF NOT EXISTS listings (video_id TEXT PRIMARY KEY, status TEXT, clip TEXT, trace TEXT)"
    )
