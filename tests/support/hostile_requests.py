# ruff: noqa: E501 - a request is easier to judge on one line
"""Requests that nobody means well with, and what each must be answered: the data of `test_hostile_requests`."""

import base64
import json
from collections.abc import Iterator
from typing import NamedTuple

from tests.support.pictures import picture
from tests.support.receiver import URL_REQUEST

CLOSED = 0
"""The connection is closed without an answer."""


class Hostile(NamedTuple):
    """One request, to the byte, and the statuses that are right for it."""

    name: str
    request: bytes
    expected: frozenset[int]


def _case(name: str, request: str | bytes, *expected: int) -> Hostile:
    return Hostile(name, request if isinstance(request, bytes) else request.encode("latin-1"), frozenset(expected))


def _get(target: str, *headers: str) -> str:
    return "\r\n".join([f"GET {target} HTTP/1.1", "host: localhost", "connection: close", *headers, "", ""])


def _post(body: bytes, kind: str = "application/json", *headers: str) -> bytes:
    head = ["POST /v1/videos HTTP/1.1", "host: localhost", "connection: close", f"content-type: {kind}"]
    return "\r\n".join([*head, f"content-length: {len(body)}", *headers, "", ""]).encode("latin-1") + body


def _fields(**changes: object) -> bytes:
    return json.dumps({**URL_REQUEST, **changes}).encode()


BROKEN_HTTP: list[tuple[str, str | bytes]] = [
    ("nothing but a line", "\r\n\r\nhello\r\n\r\n"),
    ("no version", "GET /healthz\r\n\r\n"),
    ("a version of the future", "GET /healthz HTTP/9.9\r\nhost: x\r\n\r\n"),
    ("no target", "GET  HTTP/1.1\r\nhost: x\r\n\r\n"),
    ("a space in the target", "GET /a b HTTP/1.1\r\nhost: x\r\n\r\n"),
    ("a method of lower case", "get /healthz HTTP/1.1\r\nhost: x\r\n\r\n"),
    ("a method nobody knows", "FROBNICATE /healthz HTTP/1.1\r\nhost: x\r\n\r\n"),
    ("a method without end", "G" * 5000),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300)),
    ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("SSH", "SSH-2.0-OpenSSH_9.2\r\n"),
    ("AMQP", b"AMQP\x00\x00\x09\x01"),
    ("random bytes", bytes(range(128, 256)) * 4),
    ("NUL in the target", "GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n"),
    ("a raw byte over ASCII in the target", b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n"),
    ("a field without a colon", "GET / HTTP/1.1\r\nhost x\r\n\r\n"),
    ("a field without a name", "GET / HTTP/1.1\r\n: x\r\n\r\n"),
    ("a space before the colon", "GET / HTTP/1.1\r\nhost : x\r\n\r\n"),
    ("a space in a field's name", "GET / HTTP/1.1\r\nho st: x\r\n\r\n"),
    ("NUL in a field", "GET / HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n"),
    ("a bare carriage return in a field", "GET / HTTP/1.1\r\nhost: x\r\nx: a\rb\r\n\r\n"),
    ("a folded field", "GET / HTTP/1.1\r\nhost: x\r\nx: a\r\n b\r\n\r\n"),
    ("a field that begins with a space", "GET / HTTP/1.1\r\n host: x\r\n\r\n"),
    ("length and chunks", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("chunks and length", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n"),
    ("two lengths", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello"),
    ("the same length twice", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n{}"),
    ("a length with a sign", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ncontent-length: +2\r\n\r\n{}"),
    ("a length below nothing", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ncontent-length: -2\r\n\r\n{}"),
    ("a length in hexadecimal", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ncontent-length: 0x2\r\n\r\n{}"),
    ("a length with a fraction", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ncontent-length: 2.0\r\n\r\n{}"),
    ("a list of lengths", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ncontent-length: 2, 2\r\n\r\n{}"),
    ("an unknown coding", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ntransfer-encoding: cow\r\n\r\n{}"),
    ("a coding after chunked", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    ("chunks of a strange size", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n"),
    ("chunks of a negative size", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n\r\n"),
    ("chunks of a huge size", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n\r\n"),
    ("a chunk longer than it says", "POST /v1/videos HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}x\r\n0\r\n\r\n"),
    ("an authority instead of a target", "CONNECT evil.example:443 HTTP/1.1\r\nhost: x\r\n\r\n"),
]  # fmt: skip

NOWHERE = [
    "/", "//", "/.", "/..", "/../", "/index.html", "/.env", "/.git/config", "/wp-login.php", "/favicon.ico",
    "/robots.txt", "/v2/videos", "/V1/videos", "/v1/Videos", "/v1", "/v1/", "/v1/videos/", "/v1//videos",
    "//v1/videos", "/v1/videos//x", "/v1/videos/../videos", "/v1/./videos", "/v1/videos/%2e%2e", "/v1/videos/x/y",
    "/v1/videos/x/timeline/", "/v1/videos/x/redeliver/", "/v1/videos/%00", "/v1/videos/%0d%0aset-cookie:x",
    "/v1/videos/%ff", "/v1/videos/'%20OR%201=1--", "/v1/videos/{id}", "/v1/videos/" + "a" * 8000,
    "/v1/videos/../../etc/passwd", "/v1/videos/..%2f..%2fetc%2fpasswd", "/v1/events/",
    "/docs/", "/docs/assets/", "/docs/assets/../run.py", "/docs/assets/..%2frun.py", "/docs/assets/%2e%2e%2frun.py",
    "/docs/assets/console.js%00", "/docs/assets/console.js/", "/docs/assets/./console.js", "/schemas/", "/schemas/x",
    "/schemas/../openapi.json", "/schemas/..%2fvideo.v1.json", "/openapi.json/", "/openapi.yaml", "/metrics/",
    "/healthz/", "/readyz/x", "/media/", "/media/x", "/media/%00", "/media/../healthz", "/media/" + "A" * 8000,
    "/webhooks", "/webhooks/", "/webhooks/iacrea", "/webhooks/iacrea/", "/webhooks/iacrea/x", "/webhooks/homedesigns/x",
    "/webhooks/iacrea/../../healthz", "/webhooks/iacrea/" + "A" * 8000, "/webhooks/iacrea/%00%00", "/a?b#c", "/%",
    "/%zz", "/%c0%ae%c0%ae/", "/\\..\\windows", "/;/v1/videos", "/v1/videos;x=y", "/console;x",
]  # fmt: skip

BAD_QUERIES = [
    "?limit=0", "?limit=-1", "?limit=1e9", "?limit=0x10", "?limit=%00", "?limit=1&limit=2", "?limit=" + "9" * 5000,
    "?status=READY", "?status=ready%00", "?status[]=ready", "?status=ready,failed", "?provider=*", "?cursor=../..",
    "?cursor=" + "a" * 5000, "?cursor=01a1fb80-55bb-754f-a0b3-5d4199002c69%0a", "?cursor=01A1FB80-55BB-754F-A0B3-5D4199002C69",
    "?" + "&".join(f"a{n}=1" for n in range(500)), "?=", "?x", "?%ff=1", "?order=id;DROP TABLE videos",
]  # fmt: skip

UNREADABLE = [
    b"", b" ", b"{", b"}", b"{]", b"{}{}", b"{},", b"nul", b"NaN", b"-Infinity", b"0x10", b"01", b"'a'", b'"a', b"\x00",
    b'{"a":}', b'{"a"}', b"{a:1}", b'{"motion": Infinity}', b'{"motion": 1' + b"0" * 5000 + b"}", b'{"p": "\x01"}',
    b'{"p": "\\x"}', b'{"p": "\\u12"}', b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"{\xa0}", b'{"p": "\xed\xa0\x80"}',
    b"[" * 100_000, b'{"a":' * 100_000, b"[" * 500 + b"{" * 500, b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]>",
    b"motion=auto&image_url=https://example.com/a", b"\x1f\x8b\x08\x00", b"/* c */ {}", b"{} // c",
    b'{"motion": "auto", "motion": "zoom_in"}', b'{"metadata": {"a": "1", "a": "2"}}', b'{"x": 1' + b', "x": 1' * 300 + b"}",
]  # fmt: skip

INVALID: list[bytes] = [
    b"[]", b"[{}]", b'"{}"', b"1", b"null", b"false", b"{}", b'{"":""}', b'{"__proto__":{}}', b'{"$ref":"#"}',
    _fields(motion=["zoom_in"]), _fields(motion={"$ne": ""}), _fields(motion="zoom_in\0"), _fields(motion="zoom_in "),
    _fields(motion=True), _fields(prompt=["a"]), _fields(prompt="\ud800"), _fields(prompt="a\0"), _fields(prompt="x" * 2001),
    _fields(metadata="{}"), _fields(metadata=[["a", "b"]]), _fields(metadata={"a": ["b"]}), _fields(metadata={"a": {}}),
    _fields(metadata={f"k{n}": "" for n in range(5000)}), _fields(metadata={"k": "v" * 100_000}), _fields(fallback="yes"),
    _fields(fallback=0), _fields(provider="IACREA"), _fields(provider=["iacrea"]), _fields(provider="iacrea' --"),
    _fields(orientation="landscape\n"), _fields(image_url=None), _fields(image_url={}), _fields(image_url="javascript:alert(1)"),
    _fields(image_url="data:image/png;base64,AAAA"), _fields(image_url="gopher://127.0.0.1:5672/_AMQP"),
    _fields(image_url="http://user@example.com/"), _fields(image_url="http://example.com:99999/"), _fields(image_url="http://"),
    _fields(image_url="http://[::1]:5672/"), _fields(image_url="http://0x7f000001/"), _fields(image_url="http://017700000001/"),
    _fields(image_url="http://example.com\\@127.0.0.1/"), _fields(image_url="http://127.0.0.1#@example.com/"),
    _fields(image_url="http://exa mple.com/"), _fields(image_url="http://example.com/\r\nx: y"), _fields(image_url=" http://a.com/"),
    _fields(image_url="http://169.254.169.254/"), _fields(image_url="https://example.com/" + "a" * 9000),
    _fields(id="mine"), _fields(status="ready"), _fields(output_urls=["https://evil.example/"]), _fields(caller="admin"),
    b'{"image_base64": "!", "motion": "auto"}', b'{"image_base64": "data:text/html,<b>", "motion": "auto"}',
    b'{"image_base64": [], "motion": "auto"}', b'{"image_base64": "QQ==QQ==", "motion": "auto"}',
    b'{"motion": "auto"' + b"".join(b', "x%d": 1' % n for n in range(300)) + b"}", b"[" + b"0," * 200_000 + b"0]", b"[" + b"{}," * 9_000 + b"{}]",
]  # fmt: skip

REJECTED = [
    b"GIF89a", b"RIFF\0\0\0\0WEBP", b"%PDF-1.7", b"<svg/>", b"BM", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"8BPS", b"SIMPLE  =",
    picture(100, 100), picture()[:40], picture()[:-1], b"<html>" + picture(), bytes(100_000),
]  # fmt: skip

HEADERS: list[tuple[str, tuple[int, ...]]] = [
    ("idempotency-key:", (422,)),
    ("idempotency-key: " + "k" * 256, (422,)),
    ("idempotency-key: \xe4", (422,)),
    ("idempotency-key: a\tb", (422,)),
    ("idempotency-key: a\r\nidempotency-key: b", (422,)),
    ("content-encoding: gzip", (415,)),
    ("content-encoding: br, gzip", (415,)),
    ("host: evil.example", (202, 400, 401)),
    ("x-forwarded-for: 127.0.0.1", (403,)),
    ("x-forwarded-host: evil.example", (403,)),
    ("x-original-url: /metrics", (202,)),
    ("x-http-method-override: DELETE", (202,)),
    ("authorization: Bearer x", (202,)),
    ("cookie: " + "c" * 10_000, (202,)),
    ("upgrade: websocket\r\nconnection: upgrade", (202,)),
    ("upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\nconnection: upgrade", (202,)),
    ("expect: 100-continue", (202,)),
    ("expect: the moon", (202,)),
    ("range: bytes=0-0," + "1-1," * 500 + "2-2", (202,)),
    ("accept: application/xml", (202,)),
    ("origin: https://evil.example\r\nsec-fetch-site: cross-site", (401,)),
    ("te: trailers", (202,)),
    ("x: " + "y" * 33_000, (400,)),
    ("x: y\r\n" * 120 + "x: y", (400,)),
]

FORM = "multipart/form-data; boundary=b"
_PART = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
_IMAGE = b'--b\r\nContent-Disposition: form-data; name="image"; filename="%s"\r\n\r\n%s\r\n'
_MOTION = _PART % (b"motion", b"auto")
_END = b"--b--\r\n"

FORMS: list[tuple[str, str, bytes, int]] = [
    ("a path for a name", FORM, _MOTION + _IMAGE % (b"../../etc/passwd", picture()) + _END, 202),
    ("NUL in a file's name", FORM, _MOTION + _IMAGE % (b"a\0.png", picture()) + _END, 202),
    ("a page as a picture", FORM, _MOTION + _IMAGE % (b"a.png", b"<html>") + _END, 422),
    ("no picture", FORM, _MOTION + _END, 422),
    ("two pictures", FORM, _MOTION + (_IMAGE % (b"a", picture())) * 2 + _END, 422),
    ("a motion twice", FORM, _MOTION * 2 + _IMAGE % (b"a", picture()) + _END, 422),
    ("a thousand parts", FORM, (_PART % (b"x", b"y")) * 1001 + _END, 400),
    ("a field of a megabyte", FORM, _PART % (b"prompt", b"x" * 1_000_000) + _END, 422),
    ("a head of a megabyte", FORM, b"--b\r\nContent-Disposition: " + b"x" * 1_000_000 + b"\r\n\r\n\r\n" + _END, 400),
    ("a thousand head fields", FORM, b"--b\r\n" + b"x: y\r\n" * 1000 + b"\r\n\r\n" + _END, 400),
    ("no end", FORM, _MOTION, 400),
    ("another boundary", FORM, (_MOTION + _END).replace(b"--b", b"--c"), 400),
    ("no boundary", "multipart/form-data", _MOTION + _END, 400),
    ("an empty boundary", "multipart/form-data; boundary=", _MOTION + _END, 400),
    ("a boundary of 1,000", "multipart/form-data; boundary=" + "b" * 1000, _MOTION + _END, 400),
    ("a long preamble", FORM, b"x" * 2_000_000 + b"\r\n" + _MOTION + _END, 400),
    ("a long epilogue", FORM, _MOTION + _IMAGE % (b"a", picture()) + _END + b"x" * 2_000_000, 202),
    ("metadata as a bomb", FORM, _PART % (b"metadata", b"[" * 60_000) + _END, 422),
    ("names in two ways", FORM, b"--b\r\nContent-Disposition: form-data; name=\"a\"; name*=UTF-8''motion\r\n\r\nauto\r\n" + _END, 422),
    ("a form in a form", FORM, b'--b\r\nContent-Disposition: form-data; name="image"\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n' + _END, 422),
]  # fmt: skip

KINDS = [
    "",
    "text/plain",
    "text/json",
    "application/jsonp",
    "application/x-ndjson",
    "image/png",
    "multipart/related",
    "*/*",
    "a" * 5000,
]
METHODS = ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "LINK"]


def corpus() -> Iterator[Hostile]:  # noqa: C901 - one loop for each kind
    """Give every hostile request."""
    for name, request in BROKEN_HTTP:
        yield _case(f"http: {name}", request, 200, 400, 401, 404, 405, 411, 413, 415, 422, CLOSED)
    for target in NOWHERE:
        yield _case(f"nowhere: {target[:60]}", _get(target), 404, 400)
    for query in BAD_QUERIES:
        yield _case(f"query: {query[:60]}", _get(f"/v1/videos{query.replace(' ', '%20')}"), 422)
    for number, body in enumerate(UNREADABLE):
        yield _case(f"unreadable {number}: {body[:20]!r}", _post(body), 400)
    for number, body in enumerate(INVALID):
        yield _case(f"invalid {number}: {body[-30:]!r}", _post(body), 422)
    for number, body in enumerate(REJECTED):
        encoded = json.dumps({"image_base64": base64.b64encode(body).decode(), "motion": "auto"}).encode()
        yield _case(f"rejected {number}: {body[:12]!r}", _post(encoded), 422)
    for header, statuses in HEADERS:
        yield _case(f"header: {header[:40]}", _post(_fields(), "application/json", header), *statuses)
    for name, kind, body, status in FORMS:
        yield _case(f"form: {name}", _post(body, kind), status)
    for kind in KINDS:
        yield _case(f"type: {kind[:40]}", _post(_fields(), kind), 415)
    for method in METHODS:
        for target in ("/v1/videos", "/healthz", "/console"):
            yield _case(f"method: {method} {target}", _get(target).replace("GET", method, 1), 405)
