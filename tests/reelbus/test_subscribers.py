"""Test events, and a bridge to HTTP, for whoever develops a subscriber."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from documents.json_schemas import events_schema
from process.standard_webhooks import new_secret, signature_headers
from schemas.names import EVENT_KINDS
from tests.reelbus.conftest import ROOT, Run
from tests.support.broker import Broker, subscribe
from tests.support.waiting import eventually


async def run_beside(run: Run, broker: Broker, exchange: str, *words: str) -> tuple[int, str, str]:
    env = {"REELBUS_AMQP_URL": broker.url, "REELBUS_EXCHANGE": exchange}
    return await asyncio.to_thread(run, *words, **env)


@pytest.mark.parametrize("kind", EVENT_KINDS)
async def test_a_triggered_event_fits_the_schema_and_is_marked_as_a_test(
    run: Run, broker: Broker, exchange: str, kind: str
) -> None:
    inbox = await subscribe(broker, exchange)
    words = ("trigger", kind, "--set", "data.metadata.listing=43", "--times", "2")
    status, output, errors = await run_beside(run, broker, exchange, *words)
    assert status == 0, errors
    first, second = await inbox.take(2)
    event = json.loads(first.body)
    Draft202012Validator(events_schema()).validate(event)
    assert first.body == second.body
    assert output.strip() == event["id"] == first.message_id
    assert event["type"] == f"video.{kind}"
    assert event["reelbustest"] is True
    assert first.headers["x-reelbus-test"] == 1
    assert event["data"]["metadata"]["listing"] == "43"


@pytest.mark.parametrize(
    ("change", "named"),
    [("data.nothing=1", "data.nothing"), ("data.status=done", "data.status"), ("plain", "PATH=VALUE")],
)
def test_a_change_that_the_schema_does_not_allow_is_2(run: Run, change: str, named: str) -> None:
    ended = run("trigger", "ready", "--set", change)
    assert ended.status == 2
    assert named in ended.errors


def test_an_unknown_kind_is_2_with_the_choices(run: Run) -> None:
    ended = run("trigger", "done")
    assert ended.status == 2
    assert "ready" in ended.errors


async def test_the_check_of_a_queue_that_is_not_there_is_4(run: Run, broker: Broker, exchange: str) -> None:
    status, _, errors = await run_beside(run, broker, exchange, "check-subscriber", "shop.nowhere")
    assert status == 4
    assert "shop.nowhere" in errors


async def test_events_are_forwarded_signed_and_tried_again(
    run: Run, broker: Broker, exchange: str, tmp_path: Path
) -> None:
    requests: list[tuple[dict[str, str], bytes]] = []

    async def hook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n"))
        }
        requests.append((headers, await reader.readexactly(int(headers["content-length"]))))
        status = b"503 Later" if len(requests) == 1 else b"204 Fine"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hook, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    secret = new_secret()
    listening = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "reelbus", "listen", "--forward", address, "--secret", secret),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "REELBUS_AMQP_URL": broker.url, "REELBUS_EXCHANGE": exchange},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert listening.stderr is not None
        assert b"forwarding" in await listening.stderr.readline()
        await run_beside(run, broker, exchange, "trigger", "ready")
        await eventually(lambda: len(requests) == 2)
    finally:
        listening.terminate()
        output, _ = await listening.communicate()
        server.close()
    headers, body = requests[-1]
    assert json.loads(body)["type"] == "video.ready"
    expected = signature_headers(
        secret, message_id=json.loads(body)["id"], timestamp=int(headers["webhook-timestamp"]), body=body
    )
    assert {name: headers[name] for name in expected} == expected
    assert b"503, again in" in output
    assert b"204" in output
    assert listening.returncode == 0
