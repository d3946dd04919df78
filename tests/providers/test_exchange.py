"""What goes over the wire for a submission, and what of an answer is understood, however it arrives."""

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from providers.base import Order
from providers.reports import Accepted, NotAcceptedYet, OutcomeUnknown, Refused, SubmissionOutcome
from tests.providers.conftest import MakeClient, MakePeer
from tests.providers.names import name_server
from tests.providers.orders import HASTY, KEY, PATIENT, Marker, an_order
from tests.providers.peer import Act, Peer, body_of, floods, hangs, header, listens, resets, says, sends, wire

JOB = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
TAKEN = {"generation_id": JOB, "id": JOB}
BODY = json.dumps(TAKEN).encode()
# More than the buffers of two sockets hold, so that it leaves only as fast as the other side reads.
LARGE = b"\x89PNG" + b"x" * 32 * 1024 * 1024


def large_order() -> Order:
    return replace(an_order(), image=LARGE)


async def outcome(build: MakeClient, server: Peer, timeout: float = PATIENT) -> SubmissionOutcome:
    return await build(server.url, timeout).submit(an_order(), before_first_byte=Marker())


async def test_the_request_is_these_bytes(peer: MakePeer, iacrea: MakeClient) -> None:
    server = await peer(says(200, TAKEN))
    await outcome(iacrea, server)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.decode().split("\r\n") == [
        "POST /api/animation/v2/generate HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"x-api-key: {KEY}",
        "Accept: application/json",
        "Accept-Encoding: identity",
        "User-Agent: reelbus",
        f"Content-Length: {len(body)}",
        "Content-Type: application/json",
        "Connection: close",
    ]
    assert json.loads(body)["image_urls"] == ["https://pictures.example/room.png"]


async def test_a_cookie_is_not_sent_back(peer: MakePeer, client: MakeClient) -> None:
    server = await peer(says(200, TAKEN, set_cookie="session=1; Path=/"))
    one = client(server.url)
    for _ in range(2):
        await one.submit(an_order(), before_first_byte=Marker())
    assert [header(request, "cookie") for request in server.requests] == [None, None]


UNDERSTOOD = {
    "a length": wire(200, BODY),
    "chunks": wire(200, b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY), content_length="", transfer_encoding="chunked"),
    "the end": wire(200, BODY, content_length=""),
    "HTTP/1.0": wire(200, BODY, content_length="").replace(b"HTTP/1.1", b"HTTP/1.0"),
    "more than announced": wire(200, BODY) + b"HTTP/1.1 500 Not asked for\r\n\r\n",
    "interim answers before it": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + wire(200, BODY),
}  # fmt: skip


@pytest.mark.parametrize("raw", UNDERSTOOD.values(), ids=UNDERSTOOD.keys())
async def test_an_answer_is_understood_however_its_end_is_marked(
    peer: MakePeer, client: MakeClient, raw: bytes
) -> None:
    result = await outcome(client, await peer(sends(raw, close=True)))
    assert isinstance(result, Accepted)
    assert result.provider_job_id == JOB


NOT_UNDERSTOOD = {
    "an endless header": floods(b"HTTP/1.1 200 OK\r\nx: ", b"x" * 65536, 1000),
    "endless headers": floods(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 10000, 1000),
    "another protocol": sends(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"),
    "two lengths": sends(wire(200, BODY).replace(b"\r\n", b"\r\ncontent-length: 3\r\n", 1)),
    "a chunk of no size": sends(wire(200, b"zz\r\n", content_length="", transfer_encoding="chunked")),
}


@pytest.mark.parametrize("fault", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD.keys())
async def test_what_is_not_understood_is_left_at_once_and_unknown(
    peer: MakePeer, client: MakeClient, fault: Act
) -> None:
    server = await peer(fault)
    began = time.monotonic()
    assert isinstance(await outcome(client, server), OutcomeUnknown)
    assert time.monotonic() - began < PATIENT / 2
    await server.until_left()


ENDLESS = {
    "interim answers": floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, 1000),
    "chunk sizes": floods(wire(200, b"", content_length="", transfer_encoding="chunked"), b"0" * 65536, 1000),
}


@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS.keys())
async def test_what_never_becomes_an_answer_is_left_when_the_time_is_up_and_unknown(
    peer: MakePeer, client: MakeClient, fault: Act
) -> None:
    server = await peer(fault)
    assert isinstance(await outcome(client, server, HASTY), OutcomeUnknown)
    await server.until_left()


UNREADABLE = {
    "too long": floods(wire(400, b"", content_length="10000000000"), b" " * 65536, 400),
    "compressed": says(400, {"error": "x"}, content_encoding="gzip"),
    "cut": sends(wire(400, b"x", content_length="400"), close=True),
}


@pytest.mark.parametrize("refusal", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_a_status_is_certain_whatever_its_body_is(peer: MakePeer, client: MakeClient, refusal: Act) -> None:
    assert isinstance(await outcome(client, await peer(refusal)), Refused)


REFUSAL = wire(413, b"too large")
EARLY = {
    "and closes": sends(REFUSAL, close=True),
    "and resets": resets(REFUSAL),
    "and reads no more": hangs(REFUSAL),
    "without an end": sends(wire(413, b"too large", content_length=""), close=True),
}


@pytest.mark.parametrize("refusal", EARLY.values(), ids=EARLY.keys())
async def test_a_refusal_counts_though_the_request_was_not_read(
    peer: MakePeer, homedesigns: MakeClient, refusal: Act
) -> None:
    server = await peer(refusal, hasty=True)
    assert isinstance(await homedesigns(server.url).submit(large_order(), before_first_byte=Marker()), Refused)
    assert server.seen < len(LARGE)


async def test_an_acceptance_counts_though_the_request_was_not_read(peer: MakePeer, homedesigns: MakeClient) -> None:
    server = await peer(hangs(wire(200, BODY)), hasty=True)
    assert isinstance(await homedesigns(server.url).submit(large_order(), before_first_byte=Marker()), Accepted)


async def test_what_is_written_is_not_ended_by_an_interim_answer(peer: MakePeer, homedesigns: MakeClient) -> None:
    received = bytearray()

    async def takes_its_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await asyncio.sleep(0.1)
        while not received.endswith(b"--\r\n") and (more := await reader.read(1 << 20)):
            received.extend(more)
        writer.write(wire(200, BODY))

    server = await peer(takes_its_time, hasty=True)
    assert isinstance(await homedesigns(server.url).submit(large_order(), before_first_byte=Marker()), Accepted)
    assert LARGE[1 << 20 :] in received


async def test_a_provider_that_hangs_up_while_the_hook_runs_leaves_it_unknown(
    peer: MakePeer, client: MakeClient
) -> None:
    server = await peer(says(200, TAKEN))

    async def before_first_byte() -> None:
        await server.until_reached()
        await server.stop()

    assert isinstance(await client(server.url).submit(an_order(), before_first_byte=before_first_byte), OutcomeUnknown)


async def test_a_connection_is_closed_when_the_time_is_up(peer: MakePeer, client: MakeClient) -> None:
    server = await peer(listens())
    assert isinstance(await outcome(client, server, HASTY), OutcomeUnknown)
    await server.until_left()


async def test_a_submission_that_is_cancelled_while_writing_is_closed(peer: MakePeer, homedesigns: MakeClient) -> None:
    cancelled = asyncio.Event()
    server = await peer(listens(cancelled), hasty=True)
    task = asyncio.create_task(homedesigns(server.url).submit(large_order(), before_first_byte=Marker()))
    await server.until_asked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    cancelled.set()
    await server.until_left()


async def test_an_address_that_cannot_be_read_was_not_sent_to(iacrea: MakeClient) -> None:
    marker = Marker()
    result = await iacrea("http://\u2603.example").submit(an_order(), before_first_byte=marker)
    assert isinstance(result, NotAcceptedYet)
    assert marker.fired == 0


async def test_an_ipv6_address_is_reached_and_asked_for_in_brackets(peer: MakePeer, client: MakeClient) -> None:
    server = await peer(says(200, TAKEN), host="::1")
    assert isinstance(
        await client(f"http://[::1]:{server.port}").submit(an_order(), before_first_byte=Marker()), Accepted
    )
    assert header(server.requests[0], "host") == f"[::1]:{server.port}"


@pytest.mark.parametrize("first", ["closed_port", "deaf_port"])
async def test_of_several_addresses_one_that_answers_is_enough(
    peer: MakePeer, iacrea: MakeClient, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, first: str
) -> None:
    server, asked = await peer(says(200, TAKEN)), []

    def looked_up(host: str, port: int) -> list[int]:
        asked.append((host, port))
        return [request.getfixturevalue(first), server.port]

    name_server(monkeypatch, looked_up)
    assert isinstance(
        await iacrea("http://b\u00fccher.example").submit(an_order(), before_first_byte=Marker()), Accepted
    )
    assert asked == [("xn--bcher-kva.example", 80)]
    assert header(server.requests[0], "host") == "xn--bcher-kva.example"
    assert json.loads(body_of(server.requests[0]))["option"]


async def test_a_provider_that_reads_no_more_keeps_no_connection_open(peer: MakePeer, homedesigns: MakeClient) -> None:
    server = await peer(hangs(), hasty=True)
    before = open_sockets()
    result = await homedesigns(server.url, HASTY).submit(large_order(), before_first_byte=Marker())
    assert isinstance(result, OutcomeUnknown)
    async with asyncio.timeout(PATIENT):
        # The other side's end stays open; of ours nothing is left.
        while open_sockets() > before + 1:
            await asyncio.sleep(0.01)


def open_sockets() -> int:
    """Count the sockets that this process has open."""
    links = (str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink())
    return sum(link.startswith("socket:") for link in links)
