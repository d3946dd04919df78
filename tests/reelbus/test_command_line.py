"""Every command ends with the status that its kind of fault has, one clear line, and no traceback."""

import json
import socket
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from reelbus import __version__
from tests.reelbus.conftest import Run

NOBODY = "http://127.0.0.1:9"
VIDEO = "01a1fb80-55bb-754f-a0b3-000000000000"


class _Answers(BaseHTTPRequestHandler):
    status, code = 500, ""

    def do_GET(self) -> None:
        body = json.dumps({"code": self.code, "detail": "why\x1b[2J not"}).encode()
        self.send_response(self.status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that the server looks for

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    """Give the address of a service that answers every request with `_Answers.status`."""
    server = HTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_version_and_the_exit_statuses_are_told(run: Run) -> None:
    assert run("--version") == (0, f"reelbus {__version__}\n", "")
    assert run("version") == run("--version")
    assert json.loads(run("version", "--json").output)["reelbus"] == __version__
    assert "4 not found" in run("--help").output


@pytest.mark.parametrize(
    "words",
    [
        ["nothing-of-the-kind"],
        ["submit"],
        ["submit", "house.jpg"],
        ["submit", "missing.jpg", "--motion", "zoom_in"],
        ["submit", "house.jpg", "--motion", "zoom_in", "--metadata", "novalue"],
        ["list", "--limit", "0"],
        ["schema", "nothing"],
        ["watch", "--from", "yesterday"],
        ["keys", "create", "two words"],
        ["keys", "create", "a:b"],
        ["keys", "create", "shop", "--expires", "soon"],
        ["keys", "create", "shop", "--scope", "all"],
        ["keys", "create", "shop", "--budget", "-1"],
        ["--env-file", "missing.env", "list"],
    ],
)
def test_bad_usage_is_2(run: Run, words: list[str]) -> None:
    ended = run(*words, REELBUS_URL=NOBODY)
    assert (ended.status, ended.output) == (2, "")
    assert ended.errors
    assert "Traceback" not in ended.errors


@pytest.mark.parametrize(
    ("words", "choice"),
    [
        (["submit", "x.jpg", "--motion", "sideways"], "zoom_in"),
        (["submit", "x.jpg", "--motion", "zoom_in", "--provider", "other"], "homedesigns"),
        (["submit", "x.jpg", "--motion", "zoom_in", "--orientation", "round"], "portrait"),
        (["list", "--status", "done"], "ready"),
        (["list", "--provider", "auto"], "iacrea"),
    ],
)
def test_an_unknown_word_is_refused_at_once_with_the_choices(run: Run, words: list[str], choice: str) -> None:
    ended = run(*words, REELBUS_URL=NOBODY)
    assert ended.status == 2
    assert choice in ended.errors


@pytest.mark.parametrize("command", [["run"], ["list"], ["keys", "list"], ["watch"]])
def test_a_wrong_setting_is_2_before_anything_is_done(run: Run, tmp_path: Path, command: list[str]) -> None:
    ended = run(*command, REELBUS_PORT="x", REELBUS_IACREA_API_KEY="a\nb")
    assert (ended.status, ended.output) == (2, "")
    assert {line.split()[0] for line in ended.errors.splitlines()} == {"REELBUS_PORT", "REELBUS_IACREA_API_KEY"}
    assert list(tmp_path.iterdir()) == []


def test_to_listen_for_others_without_keys_is_2_and_makes_nothing(run: Run, tmp_path: Path) -> None:
    ended = run("run", REELBUS_HOST="0.0.0.0")  # noqa: S104 - refused
    assert ended.status == 2
    assert "REELBUS_API_KEYS" in ended.errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["list"], ["show", VIDEO], ["redeliver", VIDEO]])
def test_a_service_that_is_away_is_3(run: Run, command: list[str]) -> None:
    ended = run(*command, REELBUS_URL=NOBODY)
    assert ended.status == 3
    assert "REELBUS_URL" in ended.errors


def test_a_broker_that_is_away_is_3(run: Run) -> None:
    assert run("watch", REELBUS_AMQP_URL="amqp://guest:guest@127.0.0.1:9/").status == 3


@pytest.mark.parametrize("command", [["run"], ["keys", "list"], ["keys", "create", "shop"]])
def test_a_store_that_is_away_is_3(run: Run, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "folder.db").mkdir()
    assert run(*command, REELBUS_DATABASE_URL=f"sqlite:///{tmp_path}/folder.db").status == 3


@pytest.mark.parametrize(
    ("answer", "status"), [(404, 4), (401, 2), (403, 1), (409, 1), (422, 1), (429, 1), (500, 3), (503, 3)]
)
@pytest.mark.parametrize("command", [["show", VIDEO], ["redeliver", VIDEO, VIDEO]])
def test_what_the_service_answers_decides_the_status(
    run: Run, service: str, monkeypatch: pytest.MonkeyPatch, answer: int, status: int, command: list[str]
) -> None:
    monkeypatch.setattr(_Answers, "status", answer)
    ended = run(*command, REELBUS_URL=service)
    assert ended.status == status
    assert "why\\x1b[2J not" in ended.errors
    assert "\x1b" not in ended.errors


def test_a_port_that_is_taken_is_2_in_one_line(run: Run) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ended = run("receiver", REELBUS_PORT=port, REELBUS_AMQP_URL="amqp://guest:guest@127.0.0.1:9/")
    assert ended.status == 2
    assert f"REELBUS_PORT {port} is taken" in ended.errors
    assert "Traceback" not in ended.errors


def test_settings_come_from_the_env_file_that_is_named(run: Run, tmp_path: Path) -> None:
    named, default = tmp_path / "named.env", tmp_path / ".env"
    named.write_text("REELBUS_URL=http://127.0.0.1:9\n")
    default.write_text("REELBUS_URL=not an address\nREELBUS_PROT=1\n")
    named.chmod(0o600)
    default.chmod(0o600)
    assert run("--env-file", str(named), "list").status == 3
    ended = run("list")
    assert ended.status == 2
    assert "REELBUS_URL" in ended.errors


def test_a_misspelt_setting_is_warned_about(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"REELBUS_URL={NOBODY}\nREELBUS_IACREA_USERID=me\n")
    (tmp_path / ".env").chmod(0o600)
    ended = run("list")
    assert "did you mean REELBUS_IACREA_USER_ID?" in ended.errors
    assert "did you mean REELBUS_IACREA_USER_ID?" in run("doctor").output


def test_the_doctor_makes_no_store_and_says_where_one_would_be(run: Run, tmp_path: Path) -> None:
    output = run("doctor", REELBUS_DATABASE_URL="sqlite:///wrong/place.db").output
    assert f"there is none at {tmp_path}/wrong/place.db" in output
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_counts_what_is_in_the_store_and_warns_of_files_that_others_can_read(
    run: Run, tmp_path: Path
) -> None:
    assert run("keys", "create", "shop").status == 0
    store = tmp_path / "reelbus.db"
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert f"{store} can be written and has 0 videos" in run("doctor").output
    store.chmod(0o644)
    assert f"{store} can be read by other users; chmod 600" in run("doctor").output


def test_a_new_store_is_its_owners_alone_with_its_log(tmp_path: Path) -> None:
    from store import sqlite  # noqa: PLC0415 - of this test alone

    connection = sqlite.connect(tmp_path / "new.db")
    connection.execute("CREATE TABLE t (x)")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    connection.close()
    assert modes == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}
