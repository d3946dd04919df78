"""A private broker answers on loopback only, survives what chaos does to it, and outlives nobody."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.broker import choice, processes
from sandbox.broker.errors import BrokerFailed
from sandbox.broker.handshake import answers
from sandbox.broker.node import Node

ROOT = Path(__file__).parents[2]
LISTENING = "0A"  # how /proc/net/tcp spells it


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node(tmp_path_factory.mktemp("broker"))
    node.start(owner=os.getpid())
    yield node
    node.stop(now=True)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path / "other")
    yield node
    node.stop(now=True)


def _listens_on(pid: int) -> set[str]:
    """Return the addresses, as the kernel writes them, on which a process waits for connections."""
    sockets = set()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        target = str(handle.readlink())
        if target.startswith("socket:["):
            sockets.add(target[8:-1])
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == LISTENING and rest[5] in sockets:
                addresses.add(local.partition(":")[0])
    return addresses


def test_every_port_is_on_loopback(node: Node) -> None:
    assert _listens_on(node.pid) == {"0100007F"}


def test_it_lets_in_only_whoever_knows_the_password_and_a_virtual_host(node: Node) -> None:
    assert answers(node.url)
    assert not answers(node.url.replace("guest:guest", "guest:wrong"))
    assert not answers(node.url + "nowhere")


def test_an_open_port_that_does_not_speak_amqp_is_no_broker(node: Node) -> None:
    ports = json.loads((node.folder / "node.json").read_text())["ports"]
    assert not answers(f"amqp://guest:guest@127.0.0.1:{ports['epmd']}/", timeout=0.5)


def test_starting_it_again_changes_nothing(node: Node) -> None:
    url, pid = node.url, node.pid
    assert node.start() == url
    assert node.pid == pid


def test_killed_it_comes_back_with_its_address_and_its_data(node: Node) -> None:
    url = node.url
    node.ctl("add_vhost", "kept")
    node.kill()
    assert not node.running
    assert node.start() == url
    assert "kept" in node.ctl("list_vhosts").split()


def test_frozen_it_answers_nobody_until_it_is_resumed(node: Node) -> None:
    node.suspend()
    try:
        assert not answers(node.url, timeout=0.3)
    finally:
        node.resume()
    assert answers(node.url)


def test_a_command_that_rabbitmq_refuses_says_why(node: Node) -> None:
    with pytest.raises(BrokerFailed, match="no_such_vhost"):
        node.ctl("delete_vhost", "no_such_vhost")


def test_two_nodes_do_not_meet(node: Node, other: Node) -> None:
    other.start()
    assert other.url != node.url
    node.ctl("add_vhost", "mine")
    assert "mine" not in other.ctl("list_vhosts").split()


def test_it_ends_when_its_owner_is_gone(other: Node) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
        other.start(owner=owner.pid)
        broker = processes.identify(other.pid)
        owner.kill()
    assert processes.gone(broker, within=10.0)


def test_stopping_ends_no_process_that_merely_has_the_same_id() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        now = processes.identify(stranger.pid)
        processes.end(processes.Process(now.pid, now.born - 1), within=0.0)
        assert processes.alive(now)
        stranger.kill()


def test_stopping_what_was_never_started_does_nothing(tmp_path: Path) -> None:
    choice.stop(Node(tmp_path / "never"))
    assert not (tmp_path / "never").exists()


def test_a_named_broker_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELBUS_AMQP_URL", "amqps://somebody@else.example/")
    assert choice.start(Node(tmp_path / "unused")) == "amqps://somebody@else.example/"
    assert not (tmp_path / "unused").exists()


def test_the_address_is_all_that_goes_to_stdout(node: Node) -> None:
    command = [sys.executable, "-m", "sandbox.broker", "start", "--private", "--dir", str(node.folder)]
    started = time.monotonic()
    done = subprocess.run(command, check=True, cwd=ROOT, text=True, capture_output=True)
    assert done.stdout == f"{node.url}\n"
    assert time.monotonic() - started < 5.0
