"""n requests in, n answers out: no byte of a body is changed, nor ever read as a request (request smuggling)."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest
import pytest_asyncio

from intake.context import Limits
from tests.support.raw_http import CLOSED, RawConnection, connected
from tests.support.receiver import URL_REQUEST, Receiver, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMUGGLED = "\r\nUpgrade: new kitchen\r\nGET /nowhere HTTP/1.1\r\nhost: localhost\r\n\r\n"
ALIVE = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"
LAST = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
H2C = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n"


def _post(*headers: str, prompt: str = SMUGGLED) -> bytes:
    body = json.dumps({**URL_REQUEST, "prompt": prompt}).encode()
    head = "POST /v1/videos HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    return f"{head}{''.join(headers)}content-length: {len(body)}\r\n\r\n".encode() + body


def _in_chunks(body: bytes, *, size: int = 7, trailers: bytes = b"") -> bytes:
    head = b"POST /v1/videos HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return head + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n" + trailers + b"\r\n"


UPGRADE = _post(H2C)
CHUNKED = _in_chunks(json.dumps({**URL_REQUEST, "prompt": SMUGGLED}).encode())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Receiver]:
    """Give a receiver to whom thousands of requests may be sent."""
    limits = Limits(key_requests=1_000_000, head_seconds=5)
    async with serving(tmp_path_factory.mktemp("framing"), limits=limits) as service:
        yield service


async def _send_split(raw: RawConnection, service: Receiver, data: bytes, at: int) -> None:
    """Send bytes in two segments, the second once the first was surely read."""
    await raw.send(data[:at])
    assert (await service.http.get("/healthz")).status_code == 200
    await raw.send(data[at:])


def _prompt(body: bytes) -> str:
    prompt: str = json.loads(body)["prompt"]
    return prompt


@pytest.mark.parametrize("request_", [UPGRADE, CHUNKED], ids=["upgrade", "chunks"])
async def test_a_request_that_is_not_plain_is_one_request_wherever_it_is_split(
    served: Receiver, request_: bytes
) -> None:
    for at in range(1, len(request_)):
        async with connected(served.port) as raw:
            await _send_split(raw, served, request_ + LAST, at)
            answers = await raw.answers()

        assert [answer.status for answer in answers] == [202, 200], at
        assert _prompt(answers[0].body) == SMUGGLED


async def test_a_request_that_comes_byte_by_byte_is_one_request(served: Receiver) -> None:
    async with connected(served.port) as raw:
        for byte in UPGRADE + LAST:
            await raw.send(bytes([byte]))
        answers = await raw.answers()

    assert [answer.status for answer in answers] == [202, 200]
    assert _prompt(answers[0].body) == SMUGGLED


async def test_an_offer_to_upgrade_behind_another_request_is_served_or_refused_wherever_it_is_split(
    served: Receiver,
) -> None:
    first, all_ = _post(prompt="first"), _post(prompt="first") + UPGRADE + LAST
    seen = set()
    for at in range(1, len(all_)):
        async with connected(served.port) as raw:
            await _send_split(raw, served, all_, at)
            answers = await raw.answers()

        seen.add(tuple(answer.status for answer in answers))
        assert _prompt(answers[0].body) == "first", (at, len(first))
    assert seen <= {(202, 202, 200), (202, 400)}
    assert (202, 202, 200) in seen


async def test_an_offer_to_upgrade_behind_a_pending_body_is_served_or_refused(served: Receiver) -> None:
    first = _post(prompt="first")
    async with connected(served.port) as raw:
        await _send_split(raw, served, first[:-10], len(first) - 20)
        assert (await served.http.get("/healthz")).status_code == 200
        await raw.send(first[-10:] + UPGRADE + LAST)
        answers = await raw.answers()

    assert [answer.status for answer in answers] in ([202, 202, 200], [202, 400])
    assert _prompt(answers[0].body) == "first"


@pytest.mark.parametrize("header", ["", "Upgrade: websocket\r\nConnection: upgrade\r\n", "upgrade: x\r\n", H2C])
async def test_a_connection_that_is_kept_serves_many_such_requests(served: Receiver, header: str) -> None:
    async with connected(served.port) as raw:
        for number in range(5):
            await raw.send(_post(header, prompt=f"{number}{SMUGGLED}"))
            answer = await raw.answer()
            assert (answer.status, _prompt(answer.body)) == (202, f"{number}{SMUGGLED}")
            await raw.send(ALIVE)
            assert (await raw.answer()).status == 200


async def test_no_word_of_a_form_is_changed(served: Receiver) -> None:
    prompt = "Bright living room\r\nUpgrade: new kitchen\r\ntransfer-encoding: chunked"
    answer = await served.http.post(
        "/v1/videos", files={name: (None, value) for name, value in {**URL_REQUEST, "prompt": prompt}.items()}
    )

    assert (answer.status_code, answer.json()["prompt"]) == (202, prompt)


async def test_a_broken_request_does_not_take_the_answer_of_the_one_before(served: Receiver) -> None:
    async with connected(served.port) as raw:
        await raw.send(_post() + b"GARBAGE\r\n\r\n")
        answers = await raw.answers()

    assert [answer.status for answer in answers] == [202, 400]


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /nowhere HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST /nowhere HTTP/1.0\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=["length and chunks", "a coding after chunked", "chunks in HTTP/1.0"],
)
async def test_what_readers_understand_differently_ends_the_connection(served: Receiver, request_: bytes) -> None:
    async with connected(served.port) as raw:
        await raw.send(request_ + ALIVE)
        answers = await raw.answers()

    assert len(answers) == 1
    assert answers[0].status in {400, 404}


async def test_requests_sent_at_once_are_answered_in_order_up_to_a_bound(served: Receiver) -> None:
    async with connected(served.port) as raw:
        await raw.send(b"".join(_post(prompt=str(number)) for number in range(5)) + LAST)
        answers = await raw.answers()
        assert [_prompt(answer.body) for answer in answers[:5]] == list("01234")

    async with connected(served.port) as raw:
        await raw.send(ALIVE * 300)
        statuses = [answer.status for answer in await raw.answers()]
    assert statuses == [200] * (len(statuses) - 1) + [400]
    assert len(statuses) <= Limits().pipelined + 2


async def test_trailers_are_read_over_and_bounded(served: Receiver) -> None:
    body = json.dumps(URL_REQUEST).encode()
    async with connected(served.port) as raw:
        await raw.send(_in_chunks(body, trailers=b"checksum: 1\r\n") + LAST)
        assert [answer.status for answer in await raw.answers()] == [202, 200]

    async with connected(served.port) as raw:
        endless = _in_chunks(body).removesuffix(b"\r\n") + b"a: b\r\n" * 20_000
        with suppress(ConnectionError):
            await raw.send(endless)
        assert (await raw.answer()).status in {400, CLOSED.status}
        assert await raw.answer() == CLOSED


async def test_java_s_first_request_is_served(served: Receiver) -> None:
    async with connected(served.port) as raw:
        await raw.send(
            b"POST /webhooks/iacrea/%s HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 2\r\n"
            b"Host: localhost\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n"
            b"User-Agent: Java-http-client/21\r\nContent-Type: application/json\r\n\r\n{}"
            % served.context.signer.webhook_token("f" * 32).encode()
        )
        answer = await raw.answer()

    assert (answer.status, answer.body) == (200, b"{}")


async def test_other_clients_are_served_meanwhile(served: Receiver) -> None:
    async with connected(served.port) as raw:
        await raw.send(UPGRADE[:-5])
        async with httpx.AsyncClient(base_url=served.context.settings.local_url, trust_env=False) as http:
            assert (await http.get("/healthz")).status_code == 200
        await raw.send(UPGRADE[-5:])
        assert (await raw.answer()).status == 202
