"""Through TLS a submission keeps the same promises, and goes to nobody but whom its address names.

The certificates were made for these tests alone: `here.pem` names localhost, 127.0.0.1, ::1 and bücher.example,
`elsewhere.pem` another host; both are `authority.pem`'s and hold until 2126.
"""

import asyncio
import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from providers.http import account
from providers.reports import Accepted, NotAcceptedYet, OutcomeUnknown, Refused
from tests.providers.conftest import MakeClient, MakePeer
from tests.providers.names import name_server
from tests.providers.orders import HASTY, Marker, an_order
from tests.providers.peer import Act, floods, hangs, header, resets, says, sends, wire

CERTIFICATES = Path(__file__).parent / "certificates"
JOB = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
TAKEN = {"generation_id": JOB, "id": JOB}
LARGE = b"\x89PNG" + b"x" * 32 * 1024 * 1024


def certified(name: str = "here") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{name}.pem")
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@pytest.fixture(autouse=True)
def trusting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trust the authority as if it were one of the machine's own."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "authority.pem"))
    account._trusting.cache_clear()
    yield
    account._trusting.cache_clear()


async def test_the_hook_is_awaited_when_tls_stands_and_before_a_byte_is_written(
    peer: MakePeer, client: MakeClient
) -> None:
    server = await peer(says(200, TAKEN), tls=certified())

    async def before_first_byte() -> None:
        await server.until_reached()
        await asyncio.sleep(0.1)
        assert server.seen == 0

    assert isinstance(await client(server.url).submit(an_order(), before_first_byte=before_first_byte), Accepted)


async def test_a_hook_that_objects_closes_with_no_byte_sent(peer: MakePeer, client: MakeClient) -> None:
    server, objection = await peer(says(200, TAKEN), tls=certified()), RuntimeError("fenced")
    with pytest.raises(RuntimeError) as caught:
        await client(server.url).submit(an_order(), before_first_byte=Marker(objection))
    assert caught.value is objection
    await server.until_left()
    assert server.seen == 0


async def test_a_certificate_for_another_host_is_not_sent_to(peer: MakePeer, client: MakeClient) -> None:
    server, marker = await peer(says(200, TAKEN), tls=certified("elsewhere")), Marker()
    result = await client(server.url).submit(an_order(), before_first_byte=marker)
    assert isinstance(result, NotAcceptedYet)
    assert "ClientConnectorCertificateError" in result.message
    assert (marker.fired, server.seen) == (0, 0)


async def test_a_certificate_of_nobody_known_is_not_sent_to(
    peer: MakePeer, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    server, marker = await peer(says(200, TAKEN), tls=certified()), Marker()
    assert isinstance(await client(server.url).submit(an_order(), before_first_byte=marker), NotAcceptedYet)
    assert (marker.fired, server.seen) == (0, 0)


async def test_a_handshake_that_hangs_is_closed_when_the_time_is_up(peer: MakePeer, client: MakeClient) -> None:
    server, marker = await peer(greeting=b""), Marker()
    url = server.url.replace("http:", "https:")
    assert isinstance(await client(url, HASTY).submit(an_order(), before_first_byte=marker), NotAcceptedYet)
    await server.until_left()
    assert marker.fired == 0


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_a_host_is_checked_by_name_or_address(peer: MakePeer, iacrea: MakeClient, host: str) -> None:
    server = await peer(says(200, TAKEN), tls=certified(), host="::1" if host == "[::1]" else "127.0.0.1")
    url = f"https://{host}:{server.port}"
    assert isinstance(await iacrea(url).submit(an_order(), before_first_byte=Marker()), Accepted)
    assert header(server.requests[0], "host") == f"{host}:{server.port}"


async def test_a_server_is_told_which_host_is_meant_and_that_http_1_is_spoken(
    peer: MakePeer, iacrea: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str | None] = []
    protocols: list[str | None] = []
    context = certified()
    context.sni_callback = lambda _tls, name, _context: names.append(name)

    async def says_all(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocols.append(writer.get_extra_info("ssl_object").selected_alpn_protocol())
        writer.write(wire(200, json.dumps(TAKEN).encode()))

    server = await peer(says_all, tls=context)

    name_server(monkeypatch, lambda _host, _port: [server.port])
    assert isinstance(
        await iacrea("https://b\u00fccher.example").submit(an_order(), before_first_byte=Marker()), Accepted
    )
    assert (names, protocols) == (["xn--bcher-kva.example"], ["http/1.1"])
    assert header(server.requests[0], "host") == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (says(200, {**TAKEN, "x": "y" * 300_000}), Accepted),
        (sends(wire(200, json.dumps(TAKEN).encode(), content_length=""), close=True), Accepted),
        (resets(wire(422, b"no")), Refused),
        (resets(wire(422, b"no", content_length="400")), Refused),
        (floods(wire(400, b"", content_length="10000000000"), b" " * 65536, 400), Refused),
        (resets(), OutcomeUnknown),
        (sends(b"", close=True), OutcomeUnknown),
        (sends(b"garbage\r\n\r\n", close=True), OutcomeUnknown),
    ],
)
async def test_an_answer_means_what_it_means_without_tls(
    peer: MakePeer, client: MakeClient, act: Act, expected: type
) -> None:
    server, marker = await peer(act, tls=certified()), Marker()
    assert isinstance(await client(server.url).submit(an_order(), before_first_byte=marker), expected)
    assert marker.fired == 1


async def test_an_answer_that_ends_without_a_farewell_is_still_read(peer: MakePeer, client: MakeClient) -> None:
    async def leaves(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(wire(200, json.dumps(TAKEN).encode(), content_length=""))
        await asyncio.sleep(0.1)
        writer.transport.abort()

    server = await peer(leaves, tls=certified())
    assert isinstance(await client(server.url).submit(an_order(), before_first_byte=Marker()), Accepted)


async def test_a_refusal_counts_though_the_request_was_not_read(peer: MakePeer, homedesigns: MakeClient) -> None:
    server = await peer(hangs(wire(413, b"too large")), hasty=True, tls=certified())
    order = replace(an_order(), image=LARGE)
    assert isinstance(await homedesigns(server.url).submit(order, before_first_byte=Marker()), Refused)


async def test_a_large_picture_arrives_whole(peer: MakePeer, homedesigns: MakeClient) -> None:
    received = bytearray()

    async def takes_its_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        while not received.endswith(b"--\r\n") and (more := await reader.read(1 << 20)):
            received.extend(more)
        writer.write(wire(200, json.dumps(TAKEN).encode()))

    server = await peer(takes_its_time, hasty=True, tls=certified())
    order = replace(an_order(), image=LARGE)
    assert isinstance(await homedesigns(server.url).submit(order, before_first_byte=Marker()), Accepted)
    assert LARGE[1 << 20 :] in received
