"""The commands: `python3 -m sandbox.broker start|stop|fetch|watch --dir FOLDER`.

The address goes to stdout, everything else to stderr.
"""

import argparse
import os
import select
import sys
from pathlib import Path

from sandbox.broker import choice
from sandbox.broker.errors import BrokerError
from sandbox.broker.node import Node

DEFAULT = Path(".run") / "broker"


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    asked = _parser().parse_args(arguments)
    try:
        _run(asked)
    except BrokerError as error:
        sys.stderr.write(f"broker: {error}\n")
        return 1
    return 0


def _run(asked: argparse.Namespace) -> None:
    node = Node(asked.dir)
    match asked.command:
        case "start":
            print(choice.start(node, private=asked.private, owner=asked.owner_pid))
        case "stop":
            choice.stop(node, now=asked.now)
        case "fetch":
            choice.prepare()
        case "watch":
            _wait_for_exit(asked.owner_pid)
            node.stop(now=True)


def _wait_for_exit(owner: int) -> None:
    """Return when the process `owner` is gone."""
    try:
        handle = os.pidfd_open(owner)
    except ProcessLookupError:
        return
    select.select([handle], [], [])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox.broker", description="A RabbitMQ for development and tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    start = _command(commands, "start", "find or start a broker and print its address")
    start.add_argument("--private", action="store_true", help="never use one that is already there")
    start.add_argument("--owner-pid", type=int, help="end the broker when this process is gone")
    stop = _command(commands, "stop", "end what start started")
    stop.add_argument("--now", action="store_true", help="do not wait for it to say goodbye")
    _command(commands, "fetch", "make RabbitMQ's programs ready")
    watch = _command(commands, "watch", "wait for a process to end, then stop the broker")
    watch.add_argument("--owner-pid", type=int, required=True)
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument("--dir", type=Path, default=DEFAULT, help="the broker's folder")
    return command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
