"""What a person sees: aligned lines, filters, help with examples; and what the doctor tells a program."""

import json
import time
from pathlib import Path
from typing import Any, cast

import pytest

from process.settings import Settings
from process.tokens import Signer
from reelbus.client import Video
from reelbus.event_line import event_line
from reelbus.public_address import leads_back
from reelbus.status import status_text
from reelbus.terminal import Output
from reelbus.waiting import Progress
from reelbus.watching import Filters
from tests.reelbus.conftest import Run
from tests.reelbus.test_output_modes import Terminal
from tests.support.ports import free_port

SECRET = "0123456789abcdef"


def _event(kind: str = "video.ready", **video: Any) -> bytes:
    data = {
        "id": "01a1fb7f-9936-7632-b2ba-bc1b52c656f4",
        "status": "ready",
        "detected_by": "poll",
        "output_urls": ["https://cdn.example/a.mp4"],
        "metadata": {"listing": "42"},
        **video,
    }
    return json.dumps({"type": kind, "time": "2026-11-21T10:00:00.123456Z", "data": data}).encode()


def test_an_event_is_one_aligned_line() -> None:
    line = event_line("video.ready.iacrea", _event())
    assert line == (
        "10:00:00.123  video.ready.iacrea           01a1fb7f-9936-7632-b2ba-bc1b52c656f4"
        "  found by poll  https://cdn.example/a.mp4  listing=42"
    )


def test_a_failure_says_why_and_what_became_of_the_credit() -> None:
    error = {"code": "generation_failed", "message": "no reason\x1b[2J"}
    body = _event("video.failed", status="failed", error=error, refund={"status": "unknown", "credits": None})
    line = event_line("video.failed.iacrea", body, colour=True)
    assert line.endswith("generation_failed: no reason\\x1b[2J  credit unknown  listing=42")
    assert line.count("\x1b") == 2


@pytest.mark.parametrize("body", [b"\xff\x1b[2J", b"[]", b'{"data": 1}', b"{" * 100_000], ids=str)
def test_what_is_no_event_is_shown_harmlessly(body: bytes) -> None:
    assert "\x1b" not in event_line("video.ready.x", body)
    assert not Filters("some", None, {}).let_through(body)
    assert Filters(None, None, {}).let_through(body)


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters("01a1fb7f-9936-7632-b2ba-bc1b52c656f4", None, {}), True),
        (Filters("another", None, {}), False),
        (Filters(None, "ready", {"listing": "42"}), True),
        (Filters(None, "failed", {}), False),
        (Filters(None, None, {"listing": "43"}), False),
    ],
)
def test_filters_of_watch_must_all_hold(filters: Filters, *, wanted: bool) -> None:
    assert filters.let_through(_event()) is wanted


def test_the_status_names_what_is_not_well() -> None:
    status = {
        "store": {"ready": True, "fault": None},
        "broker": {"ready": False, "fault": "refused"},
        "public_address": {"ready": False, "fault": "nothing answers"},
        "outbox": {"unpublished": 2, "refused": 0, "oldest_seconds": 8.4, "last_error": None},
        "commands": {"link": None, "dead_letters": 3},
        "open_videos": {"generating": 5},
        "providers": {"iacrea": {"enabled": True, "authorized": False, "unauthorized_since": "now"}},
    }
    lines = status_text(status, colour=False).splitlines()
    assert lines[1].split() == ["broker", "refused"]
    assert lines[2].split() == ["public", "URL", "nothing", "answers"]
    assert lines[3].endswith("0 accepted  0 submitting  5 generating")
    assert lines[4].endswith("2 unpublished, the oldest for 8 s")
    assert lines[5].endswith("3 parked (reelbus dead list)")
    assert lines[6].endswith("refuses our credentials since now")
    assert "\x1b[31mrefused" in status_text(status, colour=True)


@pytest.mark.parametrize("command", ["submit", "watch", "trigger", "listen", "list", "doctor", "dev", "status"])
def test_help_ends_with_examples_that_can_be_pasted(run: Run, command: str) -> None:
    examples = run(command, "--help").output.partition("Examples:\n")[2].splitlines()
    assert examples
    assert all(line.startswith("    reelbus ") for line in examples if line)


def test_there_is_completion_for_shells(run: Run) -> None:
    assert "--install-completion" in run("--help").output


@pytest.mark.parametrize(
    ("begun", "offered"),
    [
        ("dead r", {"requeue"}),
        ("submit --motion zoom", {"zoom_in", "zoom_out"}),
        ("submit --provider a", {"auto"}),
        ("list --provider iac", {"iacrea"}),
        ("trigger f", {"failed", "fallback"}),
        ("schema a", {"asyncapi"}),
        ("open d", {"docs"}),
        ("pause home", {"homedesigns"}),
        ("watch --output q", {"quiet"}),
    ],
)
def test_the_shell_is_offered_what_may_follow(run: Run, begun: str, offered: set[str]) -> None:
    words = f"reelbus {begun}"
    env = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1), "_REELBUS_COMPLETE": "complete_bash"}
    assert set(run(**env).output.split()) == offered


def test_an_address_is_printed_whether_or_not_there_is_a_browser(run: Run) -> None:
    assert run("open", "docs", REELBUS_URL="http://127.0.0.1:1", BROWSER="true").output == "http://127.0.0.1:1/docs\n"
    refused = run("open", "nothing")
    assert (refused.status, "choose from console, docs, events" in refused.errors) == (2, True)


def test_the_live_line_says_how_long_such_videos_usually_take() -> None:
    asked: list[str] = []
    terminal = Terminal()

    def usual(provider: str) -> float:
        asked.append(provider)
        return 41.4

    progress = Progress(usual, Output.INTERACTIVE, terminal)
    video = cast("Video", {"id": "01a1fb7f", "status": "accepted", "provider": None})
    progress.show(video)
    assert "usually" not in terminal.getvalue()
    for _ in range(2):
        progress.show({**video, "status": "generating", "provider": "iacrea"})
    assert terminal.getvalue().endswith("01a1fb7f  generating at iacrea  0 s, usually 41 s")
    assert asked == ["iacrea"]


def test_the_live_line_says_when_the_provider_is_looked_at_next_and_asks_for_that_seldom() -> None:
    terminal, asked = Terminal(), []

    def next_check(video_id: str) -> float:
        asked.append(video_id)
        return time.time() + 4.9

    progress = Progress(lambda _: None, Output.INTERACTIVE, terminal, next_check)
    for status in ("accepted", "generating", "generating", "ready"):
        progress.show(cast("Video", {"id": "01a1fb7f", "status": status, "provider": "iacrea"}))
    assert "generating at iacrea  0 s, next look in 5 s" in terminal.getvalue()
    assert terminal.getvalue().count("next look") == 2
    assert asked == ["01a1fb7f"]


def test_a_time_out_is_for_waiting(run: Run) -> None:
    assert run("submit", "x.jpg", "--motion", "zoom_in", "--timeout", "3").status == 2


def test_the_doctor_tells_programs_versions_sources_and_findings(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("REELBUS_POLL_MIN=1\nREELBUS_HOMEDESIGNS_TOKEN=a-secret-token\n")
    (tmp_path / "keys").write_text("shop:0123456789abcdef0123")
    env = {"REELBUS_AMQP_URL": "amqp://me:hidden@127.0.0.1:1/", "REELBUS_API_KEYS_FILE": "keys"}

    done = run("doctor", "--json", **env, REELBUS_HOMEDESIGNS_URL="http://127.0.0.1:1")

    document = json.loads(done.output)
    known = {each["name"]: (each["source"], each["value"]) for each in document["settings"]}
    assert (done.status, done.errors) == (1, "")
    assert document["versions"].keys() >= {"reelbus", "python", "uvicorn", "aio-pika"}
    assert known["REELBUS_POLL_MIN"] == (".env", 1)
    assert known["REELBUS_POLL_MAX"] == ("default", 30)
    assert known["REELBUS_AMQP_URL"] == ("environment", "amqp://***@127.0.0.1:1/")
    assert known["REELBUS_HOMEDESIGNS_TOKEN"] == (".env", "***")
    assert known["REELBUS_API_KEYS"] == ("keys (REELBUS_API_KEYS_FILE, environment)", "***")
    assert {each["subject"]: each["verdict"] for each in document["findings"]}["broker"] == "fail"
    assert not {"hidden", "a-secret-token", "0123456789abcdef0123"} & set(done.output.split('"'))
    assert not (tmp_path / "reelbus.db").exists()


async def test_an_address_where_nothing_answers_is_a_warning() -> None:
    settings = Settings.read({"REELBUS_PUBLIC_URL": f"http://127.0.0.1:{free_port()}"}, file=None)
    verdict, detail, mend = await leads_back(settings, Signer([SECRET]))
    assert (verdict, "nothing answers" in detail, "start a receiver" in mend) == ("warn", True, True)
