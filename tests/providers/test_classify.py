"""What a status document means is decided by evidence: a word for a state, or the address of a video."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.parsing.classify import Kind, classify
from schemas.addresses import output_url_usable

judged = partial(classify, allow_private=True)

VECTORS = [json.loads(line) for line in (Path(__file__).parent / "vectors.jsonl").read_text().splitlines()]
CLIP = "https://g/v.mp4"


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_every_known_form_has_its_verdict(vector: dict[str, Any]) -> None:
    assert judged(vector["body"]).kind.name.lower() == vector["verdict"]


@pytest.mark.parametrize(
    "word",
    [
        "failed", "FAILED", "Failure", "fail", "error", "ERROR", "Errored", "canceled", "CANCELLED",
        "aborted", "TIMED_OUT", "timed out", "Timed-Out", "TimedOut", "timeout", "rejected", "expired",
        " failed ", "generation_failed", "FAILED: nsfw", "processing error",
    ],
)  # fmt: skip
def test_failure_in_any_spelling_is_failure(word: str) -> None:
    assert judged({"status": word}).kind is Kind.FAILED


@pytest.mark.parametrize("word", ["upscaling", "WARMING_UP", "retrying_after_error", "not failed", "…", "死"])
def test_an_unknown_word_means_still_running_and_is_reported(word: str) -> None:
    verdict = judged({"status": word, "output_video": CLIP})
    assert (verdict.kind, verdict.known, verdict.word) == (Kind.PENDING, False, word)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"status": "success", "data": {"status": "processing"}}, Kind.PENDING),
        ({"status": "success", "data": [{"output_video": CLIP}]}, Kind.READY),
        ({"status": "success", "data": [{"status": "failed"}]}, Kind.FAILED),
        ({"status": "success", "data": []}, Kind.RECHECK),
        ({"status": "error", "message": "Please Enter a Valid Queue ID"}, Kind.LOST_ID),
        ({"error": True, "message": "boom"}, Kind.ERROR_BODY),
        ({"error": None, "output_video": CLIP}, Kind.READY),
        ({"error": "", "status": "starting"}, Kind.PENDING),
        ({"success": False, "message": "see", "url": "https://docs.example/"}, Kind.ERROR_BODY),
        ({"status": False, "message": "x"}, Kind.ERROR_BODY),
        ({"status": "200", "output_video": CLIP}, Kind.READY),
        ({"message": "Your video is being processed"}, Kind.TRANSIENT),
        ({"state": "failed"}, Kind.FAILED),
        ({"Status": "SUCCEEDED", "Urls": [CLIP]}, Kind.READY),
        ([{"error": "Please Enter a Valid Queue ID"}], Kind.LOST_ID),
        ([{"output_video": CLIP}, {"status": "failed"}], Kind.READY),
        ("Please Enter a Valid Queue ID", Kind.LOST_ID),
        (None, Kind.TRANSIENT),
        (7, Kind.TRANSIENT),
        ({"data": [{"data": [{"data": [{"status": "failed"}]}]}]}, Kind.TRANSIENT),
    ],
)
def test_wrappers_and_half_answers_have_their_verdict(body: object, kind: Kind) -> None:
    assert judged(body).kind is kind


@pytest.mark.parametrize(
    "urls",
    [
        ["javascript:alert(1)"], "ftp://x/v.mp4", ["http://user:pw@x/v.mp4"], ["https:///v.mp4"],
        ["//x/v.mp4"], ["https://x/v\u202e.mp4"], ["https://x/\x00"], ["https://x/" + "v" * 2048],
        ["https://x/ v.mp4"],
        ["https://x/\ud800"], [["data:text/html,hello"]], {"any": "file:///etc/passwd"},
        ["https://x:0/v.mp4"],
        ['https://x/"onload="x'], ["https://x\\@y/v.mp4"],
    ],
)  # fmt: skip
def test_success_with_no_usable_address_is_unusable(urls: object) -> None:
    assert judged({"status": "SUCCEEDED", "urls": urls}).kind is Kind.UNUSABLE


def test_only_the_usable_addresses_are_handed_on_once_each() -> None:
    verdict = judged({"status": "SUCCEEDED", "urls": [CLIP, "javascript:x", CLIP, "http://127.0.0.1:9/w.mp4"]})
    assert verdict.urls == (CLIP, "http://127.0.0.1:9/w.mp4")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "[::1]", "0x7f.1", "a.internal", "nas"])
def test_an_address_that_is_not_public_is_unusable_unless_that_is_allowed(host: str) -> None:
    body = {"status": "SUCCEEDED", "urls": [f"http://{host}:9/w.mp4"]}
    verdict = classify(body)
    assert (verdict.kind, verdict.urls) == (Kind.UNUSABLE, ())
    assert "REELBUS_ALLOW_PRIVATE_OUTPUT_HOSTS" in verdict.message
    assert classify(body, allow_private=True).urls == (f"http://{host}:9/w.mp4",)


@pytest.mark.parametrize("value", [None, "", [], {}, "soon", [None], 7])
@pytest.mark.parametrize("wrapped", [False, True])
def test_an_output_with_nothing_usable_in_it_is_success_without_an_address(value: object, wrapped: bool) -> None:  # noqa: FBT001 - a column
    body: dict[str, object] = {"input_image": "https://g/in.png", "output_video": value}
    assert judged({"data": body} if wrapped else body).kind is Kind.RECHECK
    assert judged({**body, "status": "processing"}).kind is Kind.PENDING
    assert judged({**body, "error": "Please Enter a Valid Queue ID"}).kind is Kind.LOST_ID
    assert judged({**body, "error": "CUDA"}).kind is Kind.ERROR_BODY


def test_a_predictions_own_api_addresses_are_no_videos() -> None:
    urls = {"get": "https://api.x/p/1", "cancel": "https://api.x/p/1/cancel"}
    assert judged({"status": "succeeded", "output": CLIP, "urls": urls}).urls == (CLIP,)
    assert judged({"status": "succeeded", "urls": urls}).kind is Kind.RECHECK


def test_a_thumbnail_and_the_input_are_no_videos() -> None:
    video = {"url": CLIP, "thumbnail": "https://g/t.jpg", "input_image": "https://g/in.png"}
    assert judged({"status": "OK", "video": video}).urls == (CLIP,)
    assert judged({"output": {"mp4": CLIP, "preview": "https://g/p.jpg"}}).urls == (CLIP,)


WORDS = ["status", "state", "data", "result", "urls", "output", "video", "error", "detail", "success"]
json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.sampled_from(["failed", "success", "processing", CLIP, "javascript:x", "queue id"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.text(max_size=6)
        | st.sampled_from(WORDS),
        inner,
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(json_like)
def test_no_document_raises_and_none_is_ready_without_a_usable_address(document: object) -> None:
    verdict = judged(document)
    assert (verdict.kind is Kind.READY) == bool(verdict.urls)
    assert all(output_url_usable(url, allow_private=True) for url in verdict.urls)
