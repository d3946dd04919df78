"""What the receiver and the stand-ins rely on inside uvicorn is there: read them against a new minor release."""

import ast
import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle as Cycle
from uvicorn.server import ServerState

ROOT = Path(__file__).parents[2]
CALLED = {
    HttpToolsProtocol: {
        "connection_made", "connection_lost", "data_received", "on_message_begin", "on_headers_complete", "on_body",
        "on_message_complete", "on_response_complete", "send_400_response", "pause_writing", "resume_writing",
        "_unset_keepalive_if_required",
    },
    H11Protocol: {"connection_lost", "data_received", "on_response_complete", "send_400_response"},
    FlowControl: {"pause_reading", "resume_reading", "write_paused", "drain"},
    uvicorn.Server: {"capture_signals", "startup", "main_loop", "on_tick", "serve"},
}  # fmt: skip
HELD = {
    HttpToolsProtocol: {
        "parser", "cycle", "flow", "pipeline", "headers", "url", "connections", "transport", "loop", "server_state",
        "logger",
    },
    H11Protocol: {"conn", "cycle", "flow", "connections", "transport", "loop", "server_state", "logger"},
    Cycle: {
        "response_started", "response_complete", "more_body", "body", "message_event", "disconnected", "keep_alive",
    },
    ServerState: {"connections", "total_requests"},
}  # fmt: skip


def _assigned(owner: type) -> set[str]:
    """Return the attributes that a class gives its objects in `__init__`, or declares."""
    tree = ast.parse(inspect.getsource(owner).lstrip())
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} | set(
        getattr(owner, "__annotations__", {})
    )


def test_the_minor_release_is_pinned_and_the_one_that_was_read() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    [pin] = [dependency for dependency in dependencies if dependency.startswith("uvicorn")]
    assert pin == "uvicorn>=0.54,<0.55"
    assert version("uvicorn").startswith("0.54.")


@pytest.mark.parametrize("owner", CALLED, ids=lambda owner: owner.__name__)
def test_the_methods_that_ours_stand_on_are_there(owner: type) -> None:
    assert {name for name in CALLED[owner] if not hasattr(owner, name)} - _assigned(owner) == set()


@pytest.mark.parametrize("owner", HELD, ids=lambda owner: owner.__module__.rsplit(".", 1)[-1] + owner.__name__)
def test_the_state_that_ours_reads_is_there(owner: type) -> None:
    assert HELD[owner] - _assigned(owner) == set()


def test_the_methods_that_ours_replace_take_what_they_took() -> None:
    assert list(inspect.signature(HttpToolsProtocol.send_400_response).parameters) == ["self", "msg"]
    assert list(inspect.signature(H11Protocol.send_400_response).parameters) == ["self", "msg"]
    assert list(inspect.signature(uvicorn.Server.startup).parameters) == ["self", "sockets"]
    assert inspect.iscoroutinefunction(uvicorn.Server.main_loop)
    assert inspect.iscoroutinefunction(uvicorn.Server.on_tick)


def test_neither_image_nor_wheel_brings_what_nothing_imports() -> None:
    for lock in ("image", "runtime"):
        names = {line.partition("==")[0] for line in (ROOT / f"locks/{lock}.txt").read_text().splitlines()}
        assert names & {"websockets", "watchfiles", "pyyaml", "offapi"} == set()
        assert {"uvicorn", "httptools", "uvloop"} <= names
