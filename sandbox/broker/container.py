"""RabbitMQ in a container, for machines whose packages we cannot use but that have a container engine."""

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

from sandbox.broker.errors import BrokerFailed
from sandbox.broker.handshake import answers

IMAGE = "rabbitmq:4.3"
ENGINES = ("docker", "podman")
FILE = "container.json"
READY_SECONDS = 120.0


def possible() -> bool:
    """Say whether an engine answers here."""
    return _engine() is not None


def start(folder: Path) -> str:
    """Run a broker that listens on loopback unless it runs, remember it in `folder`, return its address.

    Raises:
        BrokerFailed: the engine would not run it, or it was not ready in time.
    """
    known = _remembered(folder)
    if known and answers(known["url"]):
        return known["url"]
    stop(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    port = _free_port()
    url = f"amqp://guest:guest@127.0.0.1:{port}/"
    made = _command("run", "--detach", "--rm", "--publish", f"127.0.0.1:{port}:5672", IMAGE)
    (folder / FILE).write_text(json.dumps({"id": made.strip(), "url": url}))
    _await_ready(folder, url)
    return url


def stop(folder: Path) -> None:
    """End and remove the container that `start` remembered, if there is one."""
    known = _remembered(folder)
    if known:
        _command("rm", "--force", known["id"])
        (folder / FILE).unlink()


def _remembered(folder: Path) -> dict[str, str] | None:
    try:
        known: dict[str, str] = json.loads((folder / FILE).read_text())
    except FileNotFoundError:
        return None
    return known


def _await_ready(folder: Path, url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not answers(url):
        if time.monotonic() > deadline:
            stop(folder)
            raise BrokerFailed(f"the container of {IMAGE} was not ready in {READY_SECONDS:g} s")
        time.sleep(0.2)


def _engine() -> str | None:
    return next((engine for engine in ENGINES if shutil.which(engine) and _responds(engine)), None)


def _responds(engine: str) -> bool:
    try:
        asked = subprocess.run([engine, "info"], check=False, capture_output=True, timeout=10)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


def _command(*command: str) -> str:
    engine = _engine()
    if not engine:
        raise BrokerFailed("no container engine answers")
    done = subprocess.run([engine, *command], check=False, capture_output=True, text=True)
    if done.returncode:
        raise BrokerFailed(f"{engine} {command[0]}: {done.stderr.strip()[-500:]}")
    return done.stdout


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
