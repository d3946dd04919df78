"""What a node must be told so that it shares nothing with any other, on disk or on the network."""

import os
import secrets
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from sandbox.broker.binaries import Binaries
from sandbox.broker.record import Ports

NAME = "reelbus@localhost"  # the same for all: each node has a name server of its own; handshake.py knows it
COOKIE = ".erlang.cookie"
MANAGEMENT = "rabbitmq_management"
LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1}"

CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
log.console = false
disk_free_limit.absolute = 50MB
"""


def prepare(
    folder: Path, binaries: Binaries, ports: Ports, name: str, *, more: str, plugins: Sequence[str]
) -> dict[str, str]:
    """Write the files of a node that is to live in `folder`, and return its environment.

    `more` are further lines of its configuration.
    """
    keep_cookie(folder, secrets.token_hex(24))
    (folder / "enabled_plugins").write_text(f"[{','.join(plugins)}].\n")
    own = CONFIGURATION.format(port=ports.amqp)
    if MANAGEMENT in plugins:
        own += f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {ports.management}\n"
    (folder / "rabbitmq.conf").write_text(own + more)
    return environment(folder, binaries, ports, name)


def keep_cookie(folder: Path, words: str) -> None:
    """Give a node the secret by which it knows its like, unless it has one."""
    cookie = folder / COOKIE
    if not cookie.exists():
        cookie.touch(mode=0o600)
        cookie.write_text(words)
        cookie.chmod(0o400)


def environment(folder: Path, binaries: Binaries, ports: Ports, name: str = NAME) -> dict[str, str]:
    """Return the environment in which a node, or a command to it, finds that node and no other."""
    return {
        **binaries.environment(),
        "LANG": "C.UTF-8",
        "HOME": str(folder),  # where Erlang looks for the cookie
        "ERL_CRASH_DUMP": os.devnull,
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(ports.epmd),
        "RABBITMQ_NODENAME": name,
        "RABBITMQ_DIST_PORT": str(ports.distribution),
        "RABBITMQ_CTL_DIST_PORT_MIN": "0",  # any free one: many commands may run at once
        "RABBITMQ_CTL_DIST_PORT_MAX": "0",
        "RABBITMQ_CTL_ERL_ARGS": LOOPBACK,
        # ALLOW_INPUT makes the start script become the broker, which itself must not wait for input.
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-noinput {LOOPBACK}",
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
    }


def free_ports(*, prefer: int | None = None) -> Ports:
    """Ask the system for ports that nobody uses at this moment, `prefer` being the first if it is free."""
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(4)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        first, *others = (int(each.getsockname()[1]) for each in sockets)
        if prefer is not None and is_free(prefer):
            first = prefer
        return Ports(first, *others)


def is_free(port: int) -> bool:
    """Say whether a program could listen on a port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do, after a restart
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
