"""Whatever an answer to a check looks like, it becomes one report, in time, and nothing secret leaves."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from providers.base import ProviderClient
from providers.homedesigns.client import HomeDesigns
from providers.iacrea.client import Iacrea
from providers.reports import Doubtful, Failed, Handle, Ready, Unavailable, UnknownJob, Working
from schemas.names import ErrorCode
from tests.providers.conftest import MakeClient, MakePeer
from tests.providers.orders import HASTY, KEY, PATIENT, USER
from tests.providers.peer import Act, body_of, drips, floods, hangs, header, resets, says, sends, wire

CLIP = "https://clips.example/v.mp4"


async def asked(client: ProviderClient) -> object:
    return await client.check(Handle("job-1"))


async def asked_in_haste(build: MakeClient, url: str) -> object:
    client = build(url, HASTY)
    began = time.monotonic()
    report = await client.check(Handle("job-1"))
    assert time.monotonic() - began < HASTY + PATIENT / 2
    return report


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"status": "IN_QUEUE"}, Working), ({"status": "starting"}, Working), ({"status": "odd"}, Working),
        ({"status": "SUCCEEDED", "urls": [CLIP]}, Ready), ({"output_video": CLIP}, Ready),
        ({"input_image": "https://g/i.png", "output_video": CLIP}, Ready),
        ([{"output_video": CLIP}], Ready), ({"status": "FAILED"}, Failed), ({"status": "failed"}, Failed),
        ({"error": "Please Enter a Valid Queue ID"}, UnknownJob), ({}, Unavailable), (None, Unavailable),
        (b"Please Enter a Valid Queue ID", UnknownJob), (b'\xef\xbb\xbf{"status": "starting"}', Working),
    ],
)  # fmt: skip
async def test_each_form_of_an_answer_becomes_its_report(
    peer: MakePeer, client: MakeClient, body: object, kind: type
) -> None:
    server = await peer(says(200, body))
    assert isinstance(await asked(client(server.url)), kind)


@pytest.mark.parametrize(
    ("body", "report"),
    [
        ({"status": "SUCCEEDED", "urls": []}, (ErrorCode.RESULT_INVALID, False)),
        ({"status": "SUCCEEDED", "urls": ["javascript:alert(1)"]}, (ErrorCode.RESULT_INVALID, True)),
        ({"error": "Something went wrong"}, (ErrorCode.GENERATION_FAILED, False)),
        ({"success": False, "message": "no"}, (ErrorCode.GENERATION_FAILED, False)),
    ],
)
async def test_an_answer_that_may_yet_change_is_doubtful(
    peer: MakePeer, client: MakeClient, body: object, report: tuple[ErrorCode, bool]
) -> None:
    doubt = await asked(client((await peer(says(200, body))).url))
    assert isinstance(doubt, Doubtful)
    assert (doubt.code, doubt.final) == report


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b"<html><title>404 Not Found</title></html>", Unavailable), (410, b"<!doctype html><p>x", Unavailable),
        (404, b"404 page not found", UnknownJob),
        (404, b"", UnknownJob), (404, {"error": "nope"}, UnknownJob), (410, b"", UnknownJob),
        (400, {"error": "Please Enter a Valid Queue ID"}, UnknownJob),
        (422, {"message": "Generation 12 not found"}, UnknownJob),
        (400, {"error": "bad"}, Doubtful), (422, {"detail": [{"loc": ["a"], "msg": "m"}]}, Doubtful),
        (400, b"<html><title>Bad Gateway</title></html>", Unavailable),
        (402, b"", Unavailable), (405, b"", Unavailable), (408, b"", Unavailable), (500, b"", Unavailable),
        (502, b"<html>", Unavailable), (503, {"error": "busy"}, Unavailable), (504, b"", Unavailable),
    ],
)  # fmt: skip
async def test_each_status_becomes_its_report(
    peer: MakePeer, client: MakeClient, status: int, body: object, kind: type
) -> None:
    assert isinstance(await asked(client((await peer(says(status, body))).url)), kind)


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_told_apart_and_name_the_setting(
    peer: MakePeer, client: MakeClient, status: int
) -> None:
    report = await asked(client((await peer(says(status, {"message": "Unauthenticated."}))).url))
    assert isinstance(report, Unavailable)
    assert report.unauthorized
    assert "REELBUS_" in report.message


NESTED = b"[" * 200_000
FAULTS: dict[str, Act] = {
    "closed before a byte": sends(b"", close=True),
    "reset before a byte": resets(),
    "half a status line": sends(b"HTTP/1.1 20", close=True),
    "garbage": sends(b"\x00\x01 not http at all\r\n\r\n", close=True),
    "half a body": sends(wire(200, b'{"sta', content_length="400"), close=True),
    "reset in the body": resets(wire(200, b'{"sta', content_length="400")),
    "silence": hangs(),
    "silence after the head": hangs(wire(200, b"", content_length="30")),
    "a drip": drips(wire(200, b'{"status": "FAILED"}')),
    "not JSON": says(200, b"hello"),
    "a page": says(200, b"<!doctype html><title>Welcome</title>", content_type="text/html"),
    "nothing": says(200, b""),
    "NaN": says(200, b'{"status": NaN}'),
    "nesting": says(200, NESTED),
    "a huge number": says(200, b'{"status": "FAILED", "n": ' + b"9" * 5000 + b"}"),
    "bad UTF-8": says(200, b'{"status": "FAILED", "error": "\xff"}'),
    "gzip": says(200, b"\x1f\x8b\x08\x00rubbish", content_encoding="gzip"),
    "a huge body": floods(wire(200, b"", content_length="10000000000"), b" " * 65536, 400),
    "endless chunks": floods(
        wire(200, b"", content_length="", transfer_encoding="chunked"),
        b"10000\r\n" + b" " * 65536 + b"\r\n",
        400,
    ),
    "an endless head": floods(b"HTTP/1.1 200 OK\r\n", b"x-more: " + b"x" * 60000 + b"\r\n", 100),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_every_broken_answer_is_no_answer_and_ends_in_time(
    peer: MakePeer, client: MakeClient, fault: Act
) -> None:
    server = await peer(fault)
    assert isinstance(await asked_in_haste(client, server.url), Unavailable)


async def test_an_endless_answer_is_left_as_soon_as_it_is_too_long(peer: MakePeer, client: MakeClient) -> None:
    server = await peer(floods(wire(200, b"", content_length="10000000000"), b" " * 65536, 150_000))
    began = time.monotonic()
    assert isinstance(await asked(client(server.url)), Unavailable)
    assert time.monotonic() - began < PATIENT / 2


async def test_a_provider_that_is_not_there_is_no_answer(client: MakeClient, closed_port: int, deaf_port: int) -> None:
    hosts = (f"127.0.0.1:{closed_port}", f"127.0.0.1:{deaf_port}", "no-such-host.invalid", "a..b")
    reports = await asyncio.gather(*[asked_in_haste(client, f"http://{host}") for host in hosts])
    assert [type(report) for report in reports] == [Unavailable] * len(hosts)


async def test_tls_that_never_comes_or_is_none_is_no_answer(peer: MakePeer, client: MakeClient) -> None:
    servers = [await peer(greeting=greeting) for greeting in (b"", b"HTTP/1.1 200 OK\r\n\r\n")]
    urls = [server.url.replace("http:", "https:") for server in servers]
    reports = await asyncio.gather(*[asked_in_haste(client, url) for url in urls])
    assert [type(report) for report in reports] == [Unavailable] * 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed_and_names_the_setting(
    peer: MakePeer, client: MakeClient, status: int
) -> None:
    elsewhere = await peer(says(200, {"status": "FAILED"}))
    server = await peer(says(status, b"", location=elsewhere.url + "/x"))
    report = await asked(client(server.url))
    assert isinstance(report, Unavailable)
    assert "_URL" in report.message
    assert elsewhere.connections == 0


async def test_proxies_of_the_environment_are_ignored(
    peer: MakePeer, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = await peer(says(200, {})), await peer(says(200, {"status": "starting"}))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    assert await asked(client(server.url)) == Working()
    assert proxy.connections == 0


async def test_connections_are_kept_and_cookies_are_not(peer: MakePeer, client: MakeClient) -> None:
    server = await peer(says(200, {"status": "starting"}, set_cookie="session=1; Path=/"))
    one = client(server.url)
    for _ in range(5):
        assert await asked(one) == Working()
    assert server.connections == 1
    assert all(header(request, "cookie") is None for request in server.requests)


async def test_a_connection_that_died_while_kept_is_no_answer_or_replaced(peer: MakePeer, client: MakeClient) -> None:
    server = await peer(says(200, {"status": "starting"}), resets(), says(200, {"status": "starting"}))
    one = client(server.url)
    reports = [await asked(one) for _ in range(3)]
    assert reports[0] == reports[2] == Working()


def written(value: str) -> str:
    """Write `date+60` as the date of sixty seconds from now, and leave the rest as it is."""
    if not value.startswith("date"):
        return value
    return format_datetime(datetime.now(UTC) + timedelta(seconds=float(value[4:])), usegmt=True)


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("7", 7, 7), ("0", 0, 0), ("1.5", 1.5, 1.5), ("1000000000", 300, 300), ("9" * 400, 300, 300),
        ("date+60", 57, 60), ("date+86400", 300, 300), (" 5 ", 5, 5),
    ],
)  # fmt: skip
async def test_a_named_wait_is_read_and_capped(
    peer: MakePeer, client: MakeClient, value: str, low: float, high: float
) -> None:
    for status in (429, 503):
        report = await asked(client((await peer(says(status, b"", retry_after=written(value)))).url))
        assert isinstance(report, Unavailable)
        assert report.retry_after is not None
        assert low <= report.retry_after <= high
        assert report.throttled == (status == 429)


@pytest.mark.parametrize(
    "value",
    ["-5", "soon", "", "1e3", "0x10", "nan", "inf", "date-3600", "Mon, 99 Foo 2026 99:99:99 GMT"],
)
async def test_a_nonsensical_wait_is_ignored(peer: MakePeer, client: MakeClient, value: str) -> None:
    report = await asked(client((await peer(says(429, b"", retry_after=written(value)))).url))
    assert isinstance(report, Unavailable)
    assert report.retry_after is None


async def test_a_failure_keeps_its_reason_clean_short_and_without_secrets(peer: MakePeer, client: MakeClient) -> None:
    words = f"<b>CUDA</b>\x00\r\n\u202eoom {KEY} Bearer abcdef123456789 /webhooks/iacrea/sEcReT0 \ud800" + "x" * 5000
    report = await asked(client((await peer(says(200, {"status": "FAILED", "error": words}))).url))
    assert isinstance(report, Failed)
    assert report.message.startswith("CUDA oom *** Bearer *** /webhooks/iacrea/*** x")
    assert len(report.message) == 1000
    report.message.encode()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": "a"}, "a"), ({"error": {"image": ["b", "c"]}}, "image: b; c"), ({"message": "d"}, "d"),
        ({"reason": "e"}, "e"), ({"detail": [{"loc": ["body", "f"], "msg": "g"}]}, "f: g"),
        ({"error": {"code": "i", "message": "j"}}, "code: i; j"), ({"data": {"error": "h"}}, "h"),
    ],
)  # fmt: skip
async def test_the_reason_of_a_failure_is_found_in_every_form(
    peer: MakePeer, client: MakeClient, body: dict[str, object], message: str
) -> None:
    report = await asked(client((await peer(says(200, {"status": "FAILED", **body}))).url))
    assert report == Failed(message)


async def test_a_failure_without_a_reason_still_says_something(peer: MakePeer, client: MakeClient) -> None:
    report = await asked(client((await peer(says(200, {"status": "FAILED"}))).url))
    assert isinstance(report, Failed)
    assert "FAILED" in report.message


async def test_iacrea_is_asked_as_documented(peer: MakePeer, iacrea: Callable[..., Iacrea]) -> None:
    server = await peer(says(200, {"status": "STARTING"}))
    await iacrea(server.url).check(Handle("1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"))
    request = server.requests[0]
    assert request.startswith(b"POST /api/animation/v2/get HTTP/1.1\r\n")
    assert header(request, "x-api-key") == KEY
    assert header(request, "authorization") is None
    assert header(request, "accept-encoding") == "identity"
    expected = f'{{"user_id": "{USER}", "generation_id": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"}}'
    assert body_of(request) == expected.encode()


async def test_only_iacreas_documented_failure_counts_as_its_failure(
    peer: MakePeer, iacrea: Callable[..., Iacrea]
) -> None:
    report = await asked(iacrea((await peer(says(200, {"status": "CANCELLED"}))).url))
    assert isinstance(report, Doubtful)
    assert report.code is ErrorCode.GENERATION_FAILED


@pytest.mark.parametrize("word", ["failed", "error", "canceled", "aborted", "TIMED_OUT", "CANCELLED"])
async def test_homedesigns_failure_in_any_spelling_is_a_failure(
    peer: MakePeer, homedesigns: Callable[..., HomeDesigns], word: str
) -> None:
    assert isinstance(await asked(homedesigns((await peer(says(200, {"status": word}))).url)), Failed)


@pytest.mark.parametrize(
    ("job_id", "path"),
    [
        ("0dc62f7f-85f1-u1", "0dc62f7f-85f1-u1"), ("a/b?c#d", "a%2Fb%3Fc%23d"), ("ü %2F", "%C3%BC%20%252F"),
    ],
)  # fmt: skip
async def test_homedesigns_is_asked_as_documented_and_its_id_stays_one_segment(
    peer: MakePeer, homedesigns: Callable[..., HomeDesigns], job_id: str, path: str
) -> None:
    server = await peer(says(200, {"status": "starting"}))
    await homedesigns(server.url + "/").check(Handle(job_id))
    line = f"GET /api/v2/video_generation/status_check/{path} HTTP/1.1\r\n"
    assert server.requests[0].startswith(line.encode())
    assert header(server.requests[0], "authorization") == f"Bearer {KEY}"


async def test_unknown_words_are_counted_cut_and_not_without_end(
    peer: MakePeer, homedesigns: Callable[..., HomeDesigns]
) -> None:
    server = await peer(*[says(200, {"status": f"Phase {n} " + "x" * 90}) for n in range(25)])
    words: list[str] = []
    one = homedesigns(server.url, unknown_status=words.append)
    for _ in range(25):
        assert await asked(one) == Working()
    assert len(words) == 25
    assert len(set(words)) == 21
    assert words[-1] == "other"
    assert all(len(word) <= 32 for word in words)


async def test_cancelling_a_check_is_left_to_the_caller(peer: MakePeer, client: MakeClient) -> None:
    server = await peer(hangs())
    task = asyncio.create_task(client(server.url).check(Handle("job-1")))
    await server.until_asked()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
