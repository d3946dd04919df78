"""Test events for subscribers, and a check of how a subscriber takes what a bus may bring."""

import asyncio
import json
import sys
from collections.abc import Sequence

from process import logs
from publisher.subscriber_check import NoSuchQueue, Verdict, check_subscriber
from publisher.trigger import trigger
from publisher.watch import BrokerUnavailable
from reelbus.errors import BAD_USAGE, FAILURE, NOT_FOUND, UNAVAILABLE, settings_or_exit, stop_with
from reelbus.terminal import cleaned as clean
from reelbus.terminal import printable_json
from schemas.samples import WrongChange, sample_event


def trigger_event(kind: str, changes: Sequence[str], *, event_id: str | None, times: int) -> None:
    """Publish one test event, as many times as wanted, and print its id."""
    settings = settings_or_exit()
    logs.set_up(quiet=True)
    try:
        event = sample_event(kind, event_id=event_id, changes=[_change(text) for text in changes])
    except WrongChange as error:
        stop_with(f"--set {error}", BAD_USAGE)
    try:
        asyncio.run(trigger(settings, [event] * times))
    except BrokerUnavailable as error:
        stop_with(f"cannot publish: {error}; check REELBUS_AMQP_URL", UNAVAILABLE)
    sys.stdout.write(f"{event['id']}\n")


def _change(text: str) -> tuple[str, object]:
    path, equals, value = text.partition("=")
    if not (path and equals):
        stop_with(f"--set {text!r} has no PATH=VALUE; write it as --set data.metadata.listing=42", BAD_USAGE)
    if path.startswith("data.metadata."):
        return path, value  # metadata is text, even if it looks like a number
    try:
        return path, json.loads(value)
    except ValueError:
        return path, value


def examine_subscriber(queue: str, dead_queue: str | None, *, as_json: bool) -> int:
    """Print a line for each trial of a queue's subscriber; give the exit status."""
    settings = settings_or_exit()
    logs.set_up(quiet=True)
    try:
        stood = asyncio.run(
            check_subscriber(settings, queue, dead_queue=dead_queue, tell=_print_json if as_json else _print)
        )
    except NoSuchQueue as error:
        stop_with(f"{error}; start the subscriber, which declares it", NOT_FOUND)
    except BrokerUnavailable as error:
        stop_with(f"cannot check: {error}; check REELBUS_AMQP_URL", UNAVAILABLE)
    return 0 if stood else FAILURE


def _print(verdict: Verdict) -> None:
    mark = "ok  " if verdict.ok else "FAIL"
    sys.stdout.write(f"{mark}  {verdict.name:<28} {clean(verdict.mend)}".rstrip() + "\n")
    sys.stdout.flush()


def _print_json(verdict: Verdict) -> None:
    sys.stdout.write(printable_json({"trial": verdict.name, "ok": verdict.ok, "mend": verdict.mend or None}) + "\n")
    sys.stdout.flush()
