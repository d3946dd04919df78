"""A submission may be sent again only where the provider certainly did not take it.

What decides is the last instant before the first byte: a failure before it leaves the provider untouched,
after it nobody knows. A status that refuses is certain either way.
"""

import asyncio
import json
import time
from collections.abc import Callable

import httpx
import pytest

from providers.capabilities import Given
from providers.homedesigns.capabilities import CAPABILITIES as HOMEDESIGNS
from providers.homedesigns.client import HomeDesigns
from providers.iacrea.capabilities import CAPABILITIES as IACREA
from providers.iacrea.client import Iacrea
from providers.reports import Accepted, Failed, NotAcceptedYet, OutcomeUnknown, Ready, Refused, SubmissionOutcome
from schemas.names import ErrorCode, Motion, Orientation
from tests.providers.conftest import MakeClient, MakePeer
from tests.providers.orders import HASTY, KEY, PATIENT, USER, Marker, an_order
from tests.providers.peer import Act, Peer, body_of, drips, floods, hangs, header, listens, resets, says, sends, wire

JOB = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
TAKEN = {"generation_id": JOB, "id": JOB, "remaining_videos": 9, "status": "IN_QUEUE"}
CLIP = "https://clips.example/v.mp4"


async def outcome(build: MakeClient, server: Peer, marker: Marker | None = None) -> SubmissionOutcome:
    return await build(server.url).submit(an_order(), before_first_byte=marker or Marker())


async def hasty_outcome(build: MakeClient, url: str, marker: Marker) -> SubmissionOutcome:
    client = build(url, HASTY)
    began = time.monotonic()
    result = await client.submit(an_order(), before_first_byte=marker)
    assert time.monotonic() - began < HASTY + PATIENT / 2
    return result


@pytest.mark.parametrize("status", [200, 201, 202])
async def test_any_success_with_an_id_is_accepted_and_the_hook_fired_once(
    peer: MakePeer, client: MakeClient, status: int
) -> None:
    marker = Marker()
    result = await outcome(client, await peer(says(status, TAKEN)), marker)
    assert isinstance(result, Accepted)
    assert (result.provider_job_id, result.finished, marker.fired) == (JOB, None, 1)


OBJECTIONS = [
    RuntimeError("fenced"), TimeoutError("store"), httpx.ConnectError("mine"), OSError(5, "disk"),
    asyncio.CancelledError(), ValueError("x"),
]  # fmt: skip


@pytest.mark.parametrize("objection", OBJECTIONS, ids=lambda error: type(error).__name__)
async def test_a_hook_that_objects_leaves_no_byte_sent_and_its_exception_arrives_unchanged(
    peer: MakePeer, client: MakeClient, objection: BaseException
) -> None:
    server = await peer(says(200, TAKEN))
    one = client(server.url)
    with pytest.raises(type(objection)) as caught:
        await one.submit(an_order(), before_first_byte=Marker(objection))
    assert caught.value is objection
    await server.until_left()
    assert (server.connections, server.seen) == (1, 0)
    assert isinstance(await one.submit(an_order(), before_first_byte=Marker()), Accepted)


async def test_a_slow_hook_does_not_use_up_the_providers_time(peer: MakePeer, client: MakeClient) -> None:
    server = await peer(says(200, TAKEN))

    async def slow() -> None:
        await asyncio.sleep(1.2)
        assert server.seen == 0

    assert isinstance(await client(server.url, 1.0).submit(an_order(), before_first_byte=slow), Accepted)


async def test_time_left_after_the_hook_is_what_was_left_before_it(peer: MakePeer, client: MakeClient) -> None:
    server = await peer(drips(wire(200, json.dumps(TAKEN).encode() * 40)))
    began = time.monotonic()

    async def slow() -> None:
        await asyncio.sleep(0.5)

    assert isinstance(await client(server.url, HASTY).submit(an_order(), before_first_byte=slow), OutcomeUnknown)
    assert 0.45 + HASTY < time.monotonic() - began < 0.5 + HASTY + PATIENT / 2


async def test_a_provider_that_was_never_reached_did_not_accept(
    peer: MakePeer, client: MakeClient, closed_port: int, deaf_port: int
) -> None:
    tls_silent = (await peer(greeting=b"")).url.replace("http:", "https:")
    tls_plain = (await peer(greeting=b"HTTP/1.1 200 OK\r\n\r\n")).url.replace("http:", "https:")
    refused, deaf = f"http://127.0.0.1:{closed_port}", f"http://127.0.0.1:{deaf_port}"
    marker = Marker()
    urls = (refused, deaf, tls_silent, tls_plain, "http://no-such-host.invalid", "http://a..b")
    results = await asyncio.gather(*[hasty_outcome(client, url, marker) for url in urls])
    assert [type(result) for result in results] == [NotAcceptedYet] * len(urls)
    assert marker.fired == 0


FAULTS: dict[str, Act] = {
    "closed before a byte": sends(b"", close=True),
    "reset before a byte": resets(),
    "half a status line": sends(b"HTTP/1.1 20", close=True),
    "garbage": sends(b"\x00\x01 not http\r\n\r\n", close=True),
    "silence": hangs(),
    "half a body": sends(wire(200, b'{"id"', content_length="400"), close=True),
    "reset in the body": resets(wire(200, b'{"id"', content_length="400")),
    "silence after the head": hangs(wire(200, b"", content_length="40")),
    "a drip": drips(wire(200, json.dumps(TAKEN).encode())),
    "a page": says(200, b"<html>Welcome</html>"),
    "nothing": says(200, b""),
    "no content": sends(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "no id": says(200, {"status": "IN_QUEUE"}),
    "an empty id": says(200, {"id": " ", "generation_id": ""}),
    "an id of dots": says(200, {"id": "..", "generation_id": ".."}),
    "an endless id": says(200, {"id": "x" * 201, "generation_id": "x" * 201}),
    "an id with a line break": says(200, {"id": "a\nb", "generation_id": "a\nb"}),
    "an id of true": says(200, {"id": True, "generation_id": True}),
    "a list": says(200, [1, 2]),
    "nesting": says(200, b"[" * 200_000),
    "NaN": says(200, b'{"id": "a", "generation_id": "a", "n": NaN}'),
    "gzip": says(200, TAKEN, content_encoding="gzip"),
    "a huge body": floods(wire(200, b"", content_length="10000000000"), b" " * 65536, 400),
    "500": says(500, {"error": "x"}),
    "501": says(501, b""),
    "502": says(502, b"<html><title>Bad gateway</title>"),
    "504": says(504, b""),
    "520": says(520, b""),
    "301": says(301, b"", location="http://127.0.0.1:9/"),
    "308": says(308, b"", location="http://127.0.0.1:9/"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_whatever_breaks_after_the_first_byte_is_unknown(peer: MakePeer, client: MakeClient, fault: Act) -> None:
    marker = Marker()
    assert isinstance(await hasty_outcome(client, (await peer(fault)).url, marker), OutcomeUnknown)
    assert marker.fired == 1


async def test_an_endless_answer_is_left_as_soon_as_it_is_too_long(peer: MakePeer, client: MakeClient) -> None:
    server = await peer(floods(wire(200, b"", content_length="10000000000"), b" " * 65536, 150_000))
    began = time.monotonic()
    assert isinstance(await outcome(client, server), OutcomeUnknown)
    assert time.monotonic() - began < PATIENT / 2


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"message": "Unauthenticated."}, ErrorCode.AUTHENTICATION_FAILED),
        (403, b"<html>no</html>", ErrorCode.AUTHENTICATION_FAILED),
        (402, b"", ErrorCode.OUT_OF_CREDITS),
        (400, {"error": "Insufficient credits"}, ErrorCode.OUT_OF_CREDITS),
        (422, {"message": "You have no remaining videos"}, ErrorCode.OUT_OF_CREDITS),
        (400, {"error": "Image field required"}, ErrorCode.IMAGE_REJECTED),
        (422, {"error": {"image": ["minimum dimentions"]}}, ErrorCode.IMAGE_REJECTED),
        (422, {"message": "invalid", "errors": {"image_urls": ["x"]}}, ErrorCode.IMAGE_REJECTED),
        (422, {"detail": [{"loc": ["body", "image"], "msg": "field required"}]}, ErrorCode.IMAGE_REJECTED),
        (400, b"Invalid image format. Only PNG, JPEG", ErrorCode.IMAGE_REJECTED),
        (400, {"error": "tool_name field required"}, ErrorCode.REQUEST_REJECTED),
        (422, {"detail": [{"loc": ["body", "tool_name"], "msg": "m"}]}, ErrorCode.REQUEST_REJECTED),
        (404, {"message": "no such model: <img src=x>"}, ErrorCode.REQUEST_REJECTED),
        (405, b"", ErrorCode.REQUEST_REJECTED),
        (408, b"", ErrorCode.REQUEST_REJECTED),
        (413, b"too large", ErrorCode.REQUEST_REJECTED),
        (418, b"[" * 9999, ErrorCode.REQUEST_REJECTED),
    ],
)
async def test_a_refusal_is_final_and_sorted_by_what_it_is_about(
    peer: MakePeer, client: MakeClient, status: int, body: object, code: ErrorCode
) -> None:
    result = await outcome(client, await peer(says(status, body)))
    assert isinstance(result, Refused)
    assert (result.code, result.unauthorized) == (code, status in (401, 403))
    assert str(status) in result.message


@pytest.mark.parametrize("status", [404, 410])
async def test_a_gateway_that_does_not_find_the_provider_ends_nothing(
    peer: MakePeer, client: MakeClient, status: int
) -> None:
    page = says(status, b"<html><img src=x><title>404 Not Found</title>", content_type="text/html")
    result = await outcome(client, await peer(page))
    assert isinstance(result, NotAcceptedYet)
    assert not result.throttled
    assert str(status) in result.message


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize("cut", [hangs, drips, resets], ids=["hangs", "drips", "resets"])
async def test_a_refusal_whose_body_breaks_off_is_still_a_refusal(
    peer: MakePeer, client: MakeClient, status: int, cut: Callable[[bytes], Act]
) -> None:
    head = wire(status, b"", content_length="4000")
    broken = drips(head + b"x" * 4000, pause=0.002) if cut is drips else cut(head)
    assert isinstance(await hasty_outcome(client, (await peer(broken)).url, Marker()), Refused)


@pytest.mark.parametrize(
    ("status", "wait", "seconds"), [(429, "7", 7), (429, "", None), (503, "1000", 300), (503, "-1", None)]
)
async def test_a_busy_provider_did_not_accept_and_may_name_its_wait(
    peer: MakePeer, client: MakeClient, status: int, wait: str, seconds: float | None
) -> None:
    result = await outcome(client, await peer(says(status, b"", retry_after=wait)))
    assert isinstance(result, NotAcceptedYet)
    assert (result.retry_after, result.throttled) == (seconds, status == 429)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Something", ErrorCode.REQUEST_REJECTED),
        ("Out of credits", ErrorCode.OUT_OF_CREDITS),
        ("Invalid image size", ErrorCode.IMAGE_REJECTED),
    ],
)
async def test_a_success_that_says_it_is_none_is_a_refusal(
    peer: MakePeer, client: MakeClient, words: str, code: ErrorCode
) -> None:
    result = await outcome(client, await peer(says(200, {"success": False, "message": words})))
    assert result == Refused(code, words)


@pytest.mark.parametrize(
    ("body", "job_id"),
    [
        ({"id": "a"}, "a"), ({"queue_id": "b"}, "b"), ({"queueId": "c"}, "c"), ({"id": 12}, "12"),
        ({"data": {"id": "d"}}, "d"), ({"success": {"queue_id": 5}}, "5"), ([{"id": "e"}], "e"),
        ({"id": "ag61df25b20-e263-4bae-ugf1"}, "ag61df25b20-e263-4bae-ugf1"),
    ],
)  # fmt: skip
async def test_homedesigns_id_is_found_wherever_it_stands(
    peer: MakePeer, homedesigns: Callable[..., HomeDesigns], body: object, job_id: str
) -> None:
    assert await outcome(homedesigns, await peer(says(200, body))) == Accepted(job_id)


async def test_homedesigns_may_finish_at_once(peer: MakePeer, homedesigns: Callable[..., HomeDesigns]) -> None:
    body = {"input_image": "https://g/in.png", "output_video": CLIP}
    assert await outcome(homedesigns, await peer(says(200, body))) == Accepted(None, None, Ready((CLIP,)))
    failed = {"id": "a", "status": "FAILED", "error": "CUDA"}
    assert await outcome(homedesigns, await peer(says(200, failed))) == Accepted("a", None, Failed("CUDA"))


@pytest.mark.parametrize(
    ("remaining", "read"), [(0, 0), ("12", 12), (None, None), ("many", None), (True, None), (10**30, None)]
)
async def test_iacreas_remaining_credits_are_read_where_they_are_a_number(
    peer: MakePeer, iacrea: Callable[..., Iacrea], remaining: object, read: int | None
) -> None:
    body = {"generation_id": JOB, "remaining_videos": remaining, "project_id": USER}
    assert await outcome(iacrea, await peer(says(200, body))) == Accepted(JOB, read)


@pytest.mark.parametrize("motion", list(IACREA.motions))
@pytest.mark.parametrize("orientation", list(Orientation))
async def test_iacrea_is_sent_what_it_documents(
    peer: MakePeer, iacrea: Callable[..., Iacrea], motion: Motion, orientation: Orientation
) -> None:
    server = await peer(says(200, TAKEN))
    order = an_order(motion, orientation, prompt="slowly")
    await iacrea(server.url).submit(order, before_first_byte=Marker())
    request = server.requests[0]
    assert request.startswith(b"POST /api/animation/v2/generate HTTP/1.1\r\n")
    assert (header(request, "x-api-key"), header(request, "accept-encoding")) == (KEY, "identity")
    assert (header(request, "content-type"), header(request, "authorization")) == ("application/json", None)
    wish = {
        "user_id": USER,
        "image_urls": [order.image_url],
        "option": IACREA.motions[motion].wire,
        "format": orientation.value,
        "webhook": order.webhook_url,
    }
    prompted = motion not in (Motion.AUTO, Motion.AUTO_REVERSE)
    assert json.loads(body_of(request)) == ({**wish, "prompt": "slowly"} if prompted else wish)


@pytest.mark.parametrize("motion", list(HOMEDESIGNS.motions))
@pytest.mark.parametrize(("kind", "name"), [("image/png", "picture.png"), ("image/jpeg", "picture.jpg")])
async def test_homedesigns_is_sent_the_picture_as_a_file(
    peer: MakePeer, homedesigns: Callable[..., HomeDesigns], motion: Motion, kind: str, name: str
) -> None:
    server = await peer(says(200, TAKEN))
    await homedesigns(server.url).submit(an_order(motion, prompt="x", content_type=kind), before_first_byte=Marker())
    request = server.requests[0]
    assert request.startswith(b"POST /api/v2/video_generation HTTP/1.1\r\n")
    assert header(request, "authorization") == f"Bearer {KEY}"
    boundary = str(header(request, "content-type")).removeprefix("multipart/form-data; boundary=")
    parts = body_of(request).split(b"--" + boundary.encode())[1:-1]
    assert parts == [
        f"\r\nContent-Type: {kind}\r\n".encode()
        + f'Content-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'.encode()
        + b"\x89PNG picture\r\n",
        b'\r\nContent-Disposition: form-data; name="tool_name"\r\n\r\n'
        + HOMEDESIGNS.motions[motion].wire.encode()
        + b"\r\n",
    ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_takes_neither_the_job_nor_the_key_elsewhere(
    peer: MakePeer, client: MakeClient, status: int
) -> None:
    elsewhere = await peer(says(200, TAKEN))
    result = await outcome(client, await peer(says(status, b"", location=elsewhere.url)))
    assert isinstance(result, OutcomeUnknown)
    assert "_URL" in result.message
    assert elsewhere.connections == 0


async def test_proxies_of_the_environment_are_ignored(
    peer: MakePeer, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = await peer(says(200, {})), await peer(says(200, TAKEN))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    assert isinstance(await outcome(client, server), Accepted)
    assert proxy.connections == 0


async def test_every_submission_has_a_connection_of_its_own(peer: MakePeer, client: MakeClient) -> None:
    server = await peer(says(200, TAKEN))
    one = client(server.url)
    for _ in range(3):
        await one.submit(an_order(), before_first_byte=Marker())
    assert server.connections == 3


async def test_submissions_do_not_wait_for_one_another(peer: MakePeer, client: MakeClient) -> None:
    server = await peer(hangs(), says(200, TAKEN))
    one = client(server.url)
    slow = asyncio.create_task(one.submit(an_order(), before_first_byte=Marker()))
    await server.until_asked()
    assert isinstance(await one.submit(an_order(), before_first_byte=Marker()), Accepted)
    assert not slow.done()
    slow.cancel()


async def test_cancelling_a_submission_is_left_to_the_caller(peer: MakePeer, client: MakeClient) -> None:
    server = await peer(listens())
    task = asyncio.create_task(client(server.url).submit(an_order(), before_first_byte=Marker()))
    await server.until_asked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.until_left()


async def test_no_secret_comes_back_in_a_message(peer: MakePeer, client: MakeClient) -> None:
    words = f"bad webhook {an_order().webhook_url} for key {KEY}"
    for status, body in ((400, {"error": words}), (500, words.encode()), (429, words.encode())):
        result = await outcome(client, await peer(says(status, body)))
        assert not isinstance(result, Accepted)
        assert KEY not in result.message
        assert "tokentoken" not in result.message


@pytest.mark.parametrize("key", ["with\nbreak", "snow☃man"])
def test_a_credential_that_no_header_can_carry_is_named_at_once(key: str) -> None:

    with pytest.raises(ValueError, match="REELBUS_HOMEDESIGNS_TOKEN"):
        HomeDesigns(Given("http://127.0.0.1:9", {"token": key}, 1.0, allow_private_outputs=False))
