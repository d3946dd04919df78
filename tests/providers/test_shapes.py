"""An answer's shape has its fields, types and words, nothing that it says of anybody, and is found in bounded time."""

import json
from importlib.resources import files

import pytest

from providers.http.responses import Response
from providers.http.seen import LARGEST_WATCHED, SeenAnswer, note_answer, watched_answers
from providers.parsing.shapes import Shape, is_documented, shape_of
from schemas.names import PROVIDERS, Provider

IACREA, HOMEDESIGNS = Provider("iacrea"), Provider("homedesigns")


def shape(document: object, *, status: int = 200, content_type: str = "application/json") -> Shape:
    return shape_of(SeenAnswer(status, content_type, json.dumps(document).encode()))


@pytest.mark.parametrize(
    ("provider", "document"),
    [
        (IACREA, {"status": "IN_PROGRESS"}), (IACREA, {"status": "SUCCEEDED", "urls": ["https://cdn.example/1.mp4"]}),
        (IACREA, {"urls": ["https://a.example/2.mp4"], "status": "SUCCEEDED"}), (IACREA, {"status": "FAILED"}),
        (HOMEDESIGNS, {"id": "86ab-7", "status": "IN_QUEUE"}),
        (HOMEDESIGNS, {"created_at": "2026-01-01T00:00:00Z", "status": "starting"}),
        (HOMEDESIGNS, {"input_image": "https://a.example/1.png", "output_video": "https://a.example/1.mp4"}),
    ],
    ids=str,
)  # fmt: skip
def test_what_the_pages_show_is_known_from_the_start(provider: Provider, document: object) -> None:
    assert is_documented(provider, shape(document))
    assert is_documented(provider, shape(document, content_type="Application/JSON; charset=utf-8"))


@pytest.mark.parametrize(
    "other",
    [
        {"status": "PAUSED", "urls": ["https://x.example/1"]}, {"status": "SUCCEEDED"},
        {"status": "SUCCEEDED", "urls": "https://x.example/1"}, {"status": "SUCCEEDED", "urls": None},
        {"status": "SUCCEEDED", "urls": ["https://x.example/1"], "seed": 1}, ["SUCCEEDED"], None,
    ],
    ids=str,
)  # fmt: skip
def test_a_new_word_field_or_type_makes_another_shape(other: object) -> None:
    usual = {"status": "SUCCEEDED", "urls": ["https://x.example/1"]}
    assert shape(other) != shape(usual)
    assert not is_documented(IACREA, shape(other))
    assert shape(usual).id != shape(usual, status=202).id
    assert shape(usual).id != shape(usual, content_type="text/plain").id


def test_another_error_text_makes_another_shape_and_another_name_in_it_does_not() -> None:
    one, same = {"error": "Job 81 of user 'ann' not found"}, {"error": "job 82 of user 'bob' not found"}
    assert shape(one) == shape(same)
    assert shape(one) != shape({"error": "Quota exceeded"})


def test_nothing_of_a_person_a_picture_or_a_key_is_kept() -> None:
    secrets = ["ann@example.com", "https://cdn.example/v.mp4?sig=abc", "sk-12345", "0198-77", "Ann Lee", "key7=1"]
    document = {
        "customer": {"name": secrets[4], "mail": secrets[0]}, "url": secrets[1], secrets[5]: 1, "id": secrets[3],
        "error": f"key {secrets[2]} of {secrets[0]} may not read {secrets[1]}", "status": secrets[2],
    }  # fmt: skip
    assert [secret for secret in secrets if secret.lower() in shape(document).body.lower()] == []


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"<html>502</html>", "<page>"), (b"upstream error", "<not JSON>"), (b"\xff", "<not JSON>"), (None, "<not read>")],
)
def test_what_is_no_document_has_a_shape_too(body: bytes | None, said: str) -> None:
    assert json.loads(shape_of(SeenAnswer(502, "text/html", body)).body) == said


def test_a_shape_is_small_however_much_an_answer_says() -> None:
    deep: object = "x"
    for _ in range(50):
        deep = {"data": [deep]}
    wide = {f"field{chr(97 + n % 26)}{'x' * (n // 26)}": ["y" * 50, n, None] * 50 for n in range(500)}
    for document in (deep, wide, ["z"] * 5000):
        assert len(shape(document).body) < 8000


def test_the_answers_of_a_block_are_shown_and_no_others() -> None:
    note_answer(Response(200, b"{}"))
    with watched_answers() as seen:
        note_answer(Response(404, b"x" * (LARGEST_WATCHED + 1), content_type="text/plain"))
    note_answer(Response(200, b"{}"))
    assert seen == [SeenAnswer(404, "text/plain", None)]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_documents_how_its_jobs_end(provider: Provider) -> None:
    file = files(f"providers.{provider}") / "documented.json"
    examples = json.loads(file.read_text())
    assert examples
    for each in examples:
        assert is_documented(provider, shape(each["body"], status=each.get("status", 200)))
