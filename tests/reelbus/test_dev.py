"""`reelbus dev` and `reelbus demo`: an empty folder is enough, and nothing is left running."""

import json
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from process.settings import Settings
from process.tokens import Signer
from reelbus.local import port_for
from reelbus.public_address import leads_back
from sandbox.broker import processes
from sandbox.kit.serving import NAMES
from tests.reelbus.conftest import Run
from tests.support.dev import Dev, run_in
from tests.support.ports import free_port

pytestmark = pytest.mark.timeout(360)
Develop = Callable[..., "Dev"]


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    dev = Dev(tmp_path_factory.mktemp("dev"), free_port())
    dev.until("Ctrl-C")
    yield dev
    if dev.process.poll() is None:
        dev.stop()


def test_nothing_but_progress_comes_before_the_banner(dev: Dev) -> None:
    before = dev.output.partition("reelbus is ready")[0].split("\n")
    assert all(line.startswith("broker: ") for line in before if line), before


def test_the_sample_videos_of_a_new_store_arrive_one_line_each(dev: Dev) -> None:
    for end in ("video.ready.iacrea", "video.ready.homedesigns", "video.failed.iacrea"):
        dev.until(end)
    lines = [line for line in dev.output.splitlines() if re.match(r"\d\d:\d\d:\d\d\.\d{3}  video\.", line)]
    assert len({line.index("listing=") > 0 for line in lines}) == 1
    assert all(re.fullmatch(r"[\w-]{36}", line[43:79]) for line in lines), lines


def test_the_printed_curl_command_works_as_it_is(dev: Dev) -> None:
    [command] = re.findall(r"(curl .*)", dev.output)
    done = subprocess.run(["sh", "-c", command], cwd=dev.folder, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout)["status"] == "accepted"


def test_every_address_of_the_banner_answers(dev: Dev) -> None:
    addresses = re.findall(r"^  (?:console|api|events) +(\S+)", dev.output, re.MULTILINE)
    assert len(addresses) == 3
    assert [httpx.get(address).status_code for address in addresses] == [200, 200, 200]


def test_the_command_line_finds_it_from_its_folder(dev: Dev) -> None:
    done = run_in(dev, "submit", ".run/house.jpg", "--motion", "zoom_in", "--provider", "iacrea", "--wait")
    assert (done.returncode, json.loads(done.stdout)["type"]) == (0, "video.ready"), done.stderr
    assert run_in(dev, "doctor").returncode == 0
    assert run_in(dev, "trigger", "ready").returncode == 0


async def test_an_address_leads_back_only_to_a_receiver_with_the_same_secret(dev: Dev) -> None:
    settings = Settings.read({"REELBUS_PUBLIC_URL": dev.url}, file=None)
    verdict, detail, _ = await leads_back(settings, Signer(["another secret than its own"]))
    assert (verdict, "not as a receiver with our webhook secret" in detail) == ("fail", True)
    done = run_in(dev, "doctor", REELBUS_PUBLIC_URL=dev.url)
    assert f"ok    public address   {dev.url} leads to this service\n" in done.stdout


def test_its_state_is_shown_at_one_glance(dev: Dev) -> None:
    assert re.search(r"^broker +ready$", run_in(dev, "status").stdout, re.MULTILINE)
    assert json.loads(run_in(dev, "status", "--json").stdout)["broker"]["ready"] is True
    assert run_in(dev, "dead", "list", "--json").stdout == ""


def test_waiting_ends_after_its_time_out_and_the_video_goes_on(dev: Dev) -> None:
    done = run_in(dev, "submit", ".run/house.jpg", "--motion", "zoom_in", "--wait", "--timeout", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.search(r"goes on; look again with reelbus show [\w-]{36}\n$", done.stderr)


def test_what_it_tells_others_is_for_the_owner_alone(dev: Dev) -> None:
    assert (dev.folder / ".run/env").stat().st_mode & 0o077 == 0
    assert f"REELBUS_URL={dev.url}\n" in (dev.folder / ".run/env").read_text()


def test_a_second_one_in_the_folder_is_refused_in_one_line(dev: Dev) -> None:
    done = run_in(dev, "dev")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(rf"reelbus dev runs in this folder already, console {dev.url}/console; .*\n", done.stderr)


def test_a_taken_port_is_one_line_before_anything_is_started(dev: Dev, run: Run, tmp_path: Path) -> None:
    port = dev.url.rpartition(":")[2]
    done = run("dev", "--port", port)
    assert (done.status, done.output) == (2, "")
    assert re.fullmatch(rf"REELBUS_PORT {port} is taken.*\n", done.errors)
    assert not (tmp_path / ".run/dev/broker").exists()


def test_where_the_usual_port_is_taken_the_next_free_one_is_chosen_and_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REELBUS_PORT", raising=False)
    with socket.socket() as other:
        with suppress(OSError):  # where it cannot be bound here, somebody else has it
            other.bind(("127.0.0.1", 8080))
        moved = port_for(None)
    assert 8080 < int(moved["REELBUS_PORT"]) < 8090
    assert capsys.readouterr().err.startswith(f"port 8080 is taken, so the service is on {moved['REELBUS_PORT']};")
    assert port_for(0) != port_for(0)
    assert port_for(8080) == {"REELBUS_PORT": "8080"}
    monkeypatch.setenv("REELBUS_PORT", "8080")
    assert port_for(None) == {}


def test_the_demonstration_runs_beside_it_and_leaves_nothing(dev: Dev, run: Run, tmp_path: Path) -> None:
    assert dev.process.poll() is None
    done = run("demo")
    assert done.status == 0, done.errors
    for key in ("video.ready.iacrea", "video.ready.homedesigns", "video.failed.iacrea"):
        assert f"  {key}" in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_webhook_is_played_against_the_service_and_shows_in_the_timeline(dev: Dev, tmp_path: Path) -> None:
    done = run_in(dev, "submit", ".run/house.jpg", "--motion", "zoom_in", "--provider", "iacrea", "--wait")
    video_id = json.loads(done.stdout)["subject"]
    before = _webhooks_of(dev, video_id)
    body = tmp_path / "body.json"
    body.write_text('{"status": "SUCCEEDED", "urls": []}')

    replayed = run_in(dev, "webhook", "replay", video_id, "--body", str(body))

    assert (replayed.returncode, replayed.stdout) == (0, "200  iacrea attempt 1  35 bytes\n"), replayed.stderr
    assert _webhooks_of(dev, video_id) == before + 1
    assert run_in(dev, "webhook", "replay", video_id).returncode == 0


def _webhooks_of(dev: Dev, video_id: str) -> int:
    shown = json.loads(run_in(dev, "show", video_id, "--json").stdout)
    return sum("webhook" in entry["what"] for entry in shown["timeline"])


def test_there_is_no_webhook_to_play_of_an_unknown_video_or_a_polled_provider(dev: Dev) -> None:
    unknown = run_in(dev, "webhook", "replay", "01a1fb7f-9936-7632-b2ba-bc1b52c656f4")
    assert (unknown.returncode, "reelbus list" in unknown.stderr) == (4, True)
    polled = run_in(
        dev, "submit", ".run/house.jpg", "--motion", "rotate_cw", "--provider", "homedesigns"
    ).stdout.strip()
    refused = run_in(dev, "webhook", "replay", polled)
    assert (refused.returncode, "calls a webhook" in refused.stderr) == (1, True)


def test_stopped_it_ends_the_broker_too_and_forgets_where_it_was(dev: Dev) -> None:
    broker = dev.broker().broker
    assert broker is not None
    assert dev.stop() == 0
    assert re.search(r"\nstopped: \d+ in hand finished, 0 events unpublished.*; bye\n$", dev.output)
    assert not processes.alive(broker)
    assert not (dev.folder / ".run/env").exists()
    assert "Traceback" not in dev.output


def test_a_setting_of_the_environment_for_another_store_is_not_believed(run: Run, tmp_path: Path) -> None:
    done = run("demo", REELBUS_DATABASE_URL=f"sqlite:///{tmp_path}/real.db", REELBUS_PUBLIC_URL="https://x.example")
    assert done.status == 0, done.errors
    assert not (tmp_path / "real.db").exists()


def test_all_providers_have_stand_ins_where_that_is_wished(tmp_path: Path) -> None:
    dev = Dev(tmp_path, free_port(), "--all")
    dev.until("Ctrl-C")
    try:
        assert "(all providers; no credit is spent)" in dev.output
        for name in NAMES:
            done = run_in(dev, "submit", ".run/house.jpg", "--motion", "zoom_in", "--provider", name, "--wait")
            event = json.loads(done.stdout)
            assert (done.returncode, event["type"], event["data"]["provider"]) == (0, "video.ready", name), done.stderr
    finally:
        assert dev.stop() == 0
    assert "Traceback" not in dev.output


def test_killed_it_leaves_no_broker_and_is_not_believed_to_run(tmp_path: Path, run: Run) -> None:
    dev = Dev(tmp_path, free_port())
    dev.until("Ctrl-C")
    broker = dev.broker().broker
    assert broker is not None
    dev.stop(signal.SIGKILL)
    assert processes.gone(broker, within=20)
    done = run("list")
    assert (done.status, "127.0.0.1:8080" in done.errors) == (3, True)


def test_a_named_broker_that_is_away_is_one_line(run: Run) -> None:
    done = run("dev", "--port", str(free_port()), REELBUS_AMQP_URL="amqp://guest:guest@127.0.0.1:1/")
    assert (done.status, done.output) == (3, "")
    assert done.errors.startswith("the broker that REELBUS_AMQP_URL names does not let us in")
