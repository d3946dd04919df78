"""A webhook's body is read from any bytes whatever, and says no more than it says."""

import json
import time
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.parsing.webhook_hints import read_webhook
from providers.reports import WebhookHint
from schemas.addresses import output_url_usable

A, B, C = (f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}" for digit in "abc")
USER = "7d1f0a4e-6a55-4a0c-9d2a-0f5f3b1c2d3e"
CLIP = "https://clips.example/v.mp4"
NOTHING = WebhookHint((), ())


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        ({"generation_id": A}, [A]), ({"id": A.upper()}, [A]), ({"data": {"job": {"ref": [A]}}}, [A]),
        ([A, A, B], [A, B]),
        ({"project_id": C, "ref": B, "generation_id": A}, [A, B]), ({"note": f"see {A}"}, []), (A, [A]),
        ({"a": {"b": {"c": {"d": {"e": A}}}}}, [A]), ({"a": {"b": {"c": {"d": {"e": {"f": A}}}}}}, []),
        ({"user_id": B, "owner": USER, "id": A}, [A]), (None, []), ({"id": 7}, []), ({"id": A[:-1]}, []),
    ],
)  # fmt: skip
def test_identifiers_are_found_anywhere_likeliest_first(body: object, ids: list[str]) -> None:
    assert list(read_webhook(json.dumps(body).encode(), ours=[USER]).provider_job_ids) == ids


def test_no_more_than_two_identifiers_are_taken() -> None:
    body = {f"k{n}": f"{n:08x}-0000-4000-8000-000000000000" for n in range(50)}
    assert len(read_webhook(json.dumps(body).encode()).provider_job_ids) == 2


def test_a_form_is_read_like_a_document() -> None:
    hint = WebhookHint((A,), (CLIP,))
    assert read_webhook(urlencode({"generation_id": A, "status": "SUCCEEDED", "urls": CLIP}).encode()) == hint
    assert read_webhook(urlencode({"status": "DONE", "id": A, "urls[]": CLIP}).encode()) == hint
    inner = json.dumps({"generation_id": A, "status": "SUCCEEDED", "urls": [CLIP]})
    assert read_webhook(urlencode({"payload": inner}).encode()) == hint
    parts = {"id": A, "status": "succeeded", "url": CLIP}
    lines = [f'--x\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in parts.items()]
    assert read_webhook("".join([*lines, "--x--\r\n"]).encode()) == hint


@pytest.mark.parametrize(
    ("body", "urls"),
    [
        ({"status": "SUCCEEDED", "urls": [CLIP]}, (CLIP,)),
        ({"status": "done", "data": {"url": CLIP}}, (CLIP,)),
        ({"urls": [CLIP]}, ()), ({"status": "PROCESSING", "urls": [CLIP]}, ()),
        ({"status": "FAILED", "urls": [CLIP]}, ()),
        ({"status": "odd", "urls": [CLIP]}, ()), ({"status": "SUCCEEDED", "urls": ["javascript:x"]}, ()),
        ({"status": "SUCCEEDED"}, ()), ([{"status": "SUCCEEDED", "urls": [CLIP]}], (CLIP,)),
        ([{"urls": [CLIP]}], ()),
    ],
)  # fmt: skip
def test_addresses_count_only_beside_a_word_for_success(body: object, urls: tuple[str, ...]) -> None:
    assert read_webhook(json.dumps(body).encode()).succeeded_urls == urls


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"\x00\xff\xfe", b"[" * 100_000, b"{" * 9, b"&" * 70_000, b"a=b&" * 20_000, b"--x",
        b"%" * 500,
        b"\xff\xfe{\x00}\x00", "ü".encode("latin-1"), b'{"status": NaN}', b"9" * 9000, b'"\\ud800"',
        b"x" * 10**6,
    ],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_rubbish_says_nothing(body: bytes) -> None:
    assert read_webhook(body) == NOTHING


KEYS = st.sampled_from(["status", "urls", "id", "data", "x"]) | st.text(max_size=4)
documents = st.recursive(
    st.none() | st.integers() | st.text(max_size=9) | st.sampled_from([A, B, "SUCCEEDED", CLIP]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=300) | documents.map(lambda document: json.dumps(document).encode()))
def test_no_bytes_raise_and_every_address_is_usable(body: bytes) -> None:
    hint = read_webhook(body, ours=[USER])
    assert len(hint.provider_job_ids) <= 2
    assert all(output_url_usable(url) for url in hint.succeeded_urls)


DEAR = {
    "parts without an end": b"--x\r\n" + b'name="a"\n' * 8000,
    "names without an end": b"--x\n" + b'name="' * 11_000,
    "boundaries": b"--\n" + b"\n--" * 22_000,
    "headers": b'--x\r\nname="a"' + b"\r\nb" * 21_000,
    "fields": b"a=%7B&" * 11_000,
    "objects": b"{" + b",".join(b'"id%d":{"urls":[]}' % n for n in range(3000)) + b"}",
    "lists": b"[" + b"[[[[1]]]]," * 7000 + b"1]",
}


@pytest.mark.parametrize("body", DEAR.values(), ids=DEAR.keys())
def test_no_body_takes_long(body: bytes) -> None:
    began = time.process_time()
    read_webhook(body)
    assert time.process_time() - began < 0.5


def test_addresses_that_are_not_public_count_only_where_that_is_allowed() -> None:
    body = json.dumps({"status": "SUCCEEDED", "urls": ["http://127.0.0.1/v.mp4"]}).encode()
    assert read_webhook(body).succeeded_urls == ()
    assert read_webhook(body, allow_private=True).succeeded_urls == ("http://127.0.0.1/v.mp4",)
