"""Show the commands that are parked in the dead letters' queue, and put them back."""

import asyncio
import sys
from collections.abc import Sequence

from publisher.dead_letters import DeadLetter, DeadLettersUnavailable, drop, listed, requeue
from reelbus.errors import BAD_USAGE, NOT_FOUND, UNAVAILABLE, settings_or_exit, stop_with
from reelbus.terminal import one_line, printable_json

EXCERPT = 80
"""Characters that are shown of a body."""


def print_letters(*, limit: int, as_json: bool = False) -> int:
    """Print the oldest parked commands, a paragraph or a line of JSON each; give the exit status."""
    settings = settings_or_exit()
    try:
        letters = asyncio.run(listed(settings, limit=limit))
    except DeadLettersUnavailable as error:
        stop_with(f"cannot list: {error}; check REELBUS_AMQP_URL", UNAVAILABLE)
    for letter in letters:
        sys.stdout.write(_json_line(letter) if as_json else _paragraph(letter))
    sys.stderr.write(
        f"{len(letters)} shown; `reelbus dead requeue ID` puts one back, `reelbus dead drop ID` takes it away\n"
    )
    return 0


def put_back(ids: Sequence[str], *, everything: bool) -> int:
    """Put commands back into their queue, all or those of these ids; give the exit status."""
    if everything == bool(ids):
        stop_with("name letters by their ids, as `reelbus dead list` shows them, or say --all", BAD_USAGE)
    settings = settings_or_exit()
    try:
        done = asyncio.run(requeue(settings, None if everything else ids))
    except DeadLettersUnavailable as error:
        stop_with(f"cannot put back: {error}", UNAVAILABLE)
    return _report(ids, done)


def drop_commands(ids: Sequence[str]) -> int:
    """Take commands away for good, those of these ids; give the exit status."""
    settings = settings_or_exit()
    try:
        done = asyncio.run(drop(settings, ids))
    except DeadLettersUnavailable as error:
        stop_with(f"cannot drop: {error}", UNAVAILABLE)
    return _report(ids, done)


def _report(ids: Sequence[str], done: set[str]) -> int:
    for name in sorted(done):
        sys.stdout.write(f"{one_line(name)}\n")
    absent = [name for name in ids if name not in done]
    for name in absent:
        sys.stderr.write(f"no letter with the id {one_line(name)} is parked\n")
    return NOT_FOUND if absent else 0


def _paragraph(letter: DeadLetter) -> str:
    when = letter.parked_at.isoformat(timespec="seconds") if letter.parked_at else "time unknown"
    named = f"  message_id {one_line(letter.message_id)}" if letter.message_id else ""
    return (
        f"{letter.letter_id}  {when}  {letter.size} bytes{named}\n"
        f"    {one_line(letter.reason)}\n"
        f"    {_excerpt(letter.beginning)}\n"
    )


def _json_line(letter: DeadLetter) -> str:
    document = {
        "id": letter.letter_id,
        "message_id": letter.message_id,
        "parked_at": letter.parked_at.isoformat() if letter.parked_at else None,
        "reason": letter.reason,
        "bytes": letter.size,
        "beginning": letter.beginning.decode("utf-8", "backslashreplace"),
    }
    return printable_json(document) + "\n"


def _excerpt(beginning: bytes) -> str:
    text = one_line(beginning.decode("utf-8", "backslashreplace"))
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT]}…"
