"""What is wrong with a request is told by field, fault and mend, all of it at once, and nothing is stored."""

import base64
import json
from typing import Any

import pytest

from schemas.problem import CONTENT_TYPE
from schemas.request import VideoRequest
from tests.support.pictures import picture
from tests.support.receiver import URL_REQUEST, Receiver, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

PICTURE = base64.b64encode(picture()).decode()
NO_PICTURE = {"motion": "auto"}


async def _refused(service: Receiver, answer: Any, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is a whole problem document, and that nothing was stored; give the document."""
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == CONTENT_TYPE
    assert problem["status"] == status
    assert problem["type"] == f"/docs/problems#{code}"
    assert "" not in {problem["title"], problem["detail"]}
    assert (await service.http.get("/v1/videos", params={"limit": 1})).json()["items"] == []
    return problem


async def _post_json(service: Receiver, body: bytes) -> Any:
    return await service.http.post("/v1/videos", content=body, headers={"content-type": "application/json"})


UNREADABLE = {
    "nothing": b"",
    "no JSON": b"zoom_in",
    "cut short": b'{"motion": "zoom_in"',
    "trailing bytes": b"{} {}",
    "single quotes": b"{'motion': 'zoom_in'}",
    "NaN": b'{"motion": NaN}',
    "infinity": b'{"motion": -Infinity}',
    "not UTF-8": b'{"motion": "\xff"}',
    "UTF-16": json.dumps(URL_REQUEST).encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(URL_REQUEST).encode(),
    "too deep": b'{"a":' * 5_000,
    "far too deep": b"[" * 200_000,
    "a number of 5,000 digits": b'{"motion": ' + b"9" * 5_000 + b"}",
    "a control character": b'{"prompt": "a\nb"}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_is_no_json_is_a_bad_request(shared: Receiver, body: bytes) -> None:
    await _refused(shared, await _post_json(shared, body), 400, "bad_request")


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"true", b"null", b"[" + b"1," * 99_999 + b"1]"])
async def test_json_that_is_no_object_is_readable_but_not_valid(shared: Receiver, body: bytes) -> None:
    problem = await _refused(shared, await _post_json(shared, body), 422, "invalid_request")

    assert problem["errors"][0]["field"] == "body"


INVALID: dict[str, tuple[dict[str, Any], set[str]]] = {
    "no motion": ({"motion": ...}, {"motion"}),
    "a null motion": ({"motion": None}, {"motion"}),
    "an unknown motion": ({"motion": "ZOOM_IN"}, {"motion"}),
    "a number for a motion": ({"motion": 1}, {"motion"}),
    "an unknown orientation": ({"orientation": "square"}, {"orientation"}),
    "a null orientation": ({"orientation": None}, {"orientation"}),
    "an unknown provider": ({"provider": "luma"}, {"provider"}),
    "an empty provider": ({"provider": ""}, {"provider"}),
    "a number for a prompt": ({"prompt": 7}, {"prompt"}),
    "a long prompt": ({"prompt": "x" * 2001}, {"prompt"}),
    "NUL in a prompt": ({"prompt": "a\0b"}, {"prompt"}),
    "half a surrogate pair in a prompt": ({"prompt": "\ud800"}, {"prompt"}),
    "a text for fallback": ({"fallback": "true"}, {"fallback"}),
    "a number for fallback": ({"fallback": 1}, {"fallback"}),
    "a list for metadata": ({"metadata": []}, {"metadata"}),
    "null metadata": ({"metadata": None}, {"metadata"}),
    "a number in metadata": ({"metadata": {"k": 1}}, {"metadata.k"}),
    "null in metadata": ({"metadata": {"k": None}}, {"metadata.k"}),
    "nested metadata": ({"metadata": {"a": {"b": "c"}}}, {"metadata.a"}),
    "a long value in metadata": ({"metadata": {"k": "v" * 513}}, {"metadata.k"}),
    "a long key in metadata": ({"metadata": {"k" * 65: "v"}}, {"metadata." + "k" * 65}),
    "an empty key in metadata": ({"metadata": {"": "v"}}, {"metadata."}),
    "NUL in metadata": ({"metadata": {"k": "\0"}}, {"metadata.k"}),
    "half a pair as a key in metadata": ({"metadata": {"\udfff": "v"}}, {"metadata.\\udfff"}),
    "17 pairs of metadata": ({"metadata": {str(n): "" for n in range(17)}}, {"metadata"}),
    "an unknown field": ({"colour": "red"}, {"colour"}),
    "a field in other letters": ({"Prompt": "x"}, {"Prompt"}),
    "half a pair as a field": ({"\ud800": 1}, {"\\ud800"}),
    "a file field in JSON": ({"image": PICTURE}, {"image"}),
    "no picture": ({"image_url": ...}, {"image_url"}),
    "a null picture": ({"image_url": None}, {"image_url"}),
    "two pictures": ({"image_base64": PICTURE}, {"image_url", "image_base64"}),
    "an empty address": ({"image_url": ""}, {"image_url"}),
    "a number for an address": ({"image_url": 1}, {"image_url"}),
    "a list for an address": ({"image_url": ["https://example.com/a.png"]}, {"image_url"}),
    "a long address": ({"image_url": "https://example.com/" + "a" * 2029}, {"image_url"}),
    "no web address": ({"image_url": "ftp://example.com/a.png"}, {"image_url"}),
    "a file address": ({"image_url": "file:///etc/passwd"}, {"image_url"}),
    "an address with a password": ({"image_url": "https://me:pw@example.com/a"}, {"image_url"}),
    "a private address": ({"image_url": "http://192.168.1.1/a.png"}, {"image_url"}),
    "no base64": ({"image_url": ..., "image_base64": "%%%"}, {"image_base64"}),
    "base64 of the URL alphabet": ({"image_url": ..., "image_base64": "_-__"}, {"image_base64"}),
    "base64 without its padding": ({"image_url": ..., "image_base64": "QQ"}, {"image_base64"}),
    "empty base64": ({"image_url": ..., "image_base64": ""}, {"image_base64"}),
    "base64 of nothing": ({"image_url": ..., "image_base64": "data:;base64,"}, {"image_base64"}),
    "a data URL not in base64": ({"image_url": ..., "image_base64": "data:image/png,abc"}, {"image_base64"}),
    "everything at once": (
        {"motion": "x", "provider": "y", "prompt": 1, "metadata": {"k": 1}, "z": 1, "image_url": "http://127.1/"},
        {"motion", "provider", "prompt", "metadata.k", "z", "image_url"},
    ),
}


@pytest.mark.parametrize(("changes", "fields"), INVALID.values(), ids=INVALID.keys())
async def test_every_invalid_field_is_named(shared: Receiver, changes: dict[str, Any], fields: set[str]) -> None:
    given = {name: value for name, value in {**URL_REQUEST, **changes}.items() if value is not ...}

    problem = await _refused(shared, await _post_json(shared, json.dumps(given).encode()), 422, "invalid_request")

    assert {fault["field"] for fault in problem["errors"]} == fields
    assert all(fault["message"] for fault in problem["errors"])


async def test_no_fault_repeats_what_was_sent(shared: Receiver) -> None:
    answer = await shared.http.post(
        "/v1/videos", json={"motion": "s3cret", "prompt": ["s3cret"], "image_url": "s3cret"}
    )

    assert "s3cret" not in answer.text


PRIVATE = [
    "http://localhost/", "http://LOCALHOST./", "http://127.0.0.1/", "http://127.1/", "http://2130706433/",
    "http://0x7f.1/", "http://0177.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://10.0.0.1/",
    "http://169.254.169.254/latest/meta-data/", "http://[fd00::1]/", "http://0/", "http://router/",
    "http://100.64.0.1/", "http://[64:ff9b::7f00:1]/", "http://metadata.google.internal/", "http://①②⑦.0.0.1/",
    "http://127.0.0.1:0/", "http://224.0.0.1/",
]  # fmt: skip


@pytest.mark.parametrize("url", PRIVATE)
async def test_no_notation_of_a_private_address_is_taken(shared: Receiver, url: str) -> None:
    answer = await shared.http.post("/v1/videos", json={**URL_REQUEST, "image_url": url})

    problem = await _refused(shared, answer, 422, "invalid_request")
    assert [fault["field"] for fault in problem["errors"]] == ["image_url"]


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/mixed"]
)
async def test_other_content_types_are_not_supported(shared: Receiver, kind: str | None) -> None:
    headers = {"content-type": kind} if kind else {}

    answer = await shared.http.post("/v1/videos", content=json.dumps(URL_REQUEST).encode(), headers=headers)

    await _refused(shared, answer, 415, "unsupported_media_type")


async def test_a_compressed_body_is_not_supported(shared: Receiver) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}

    answer = await shared.http.post("/v1/videos", content=b"\x1f\x8b", headers=headers)

    await _refused(shared, answer, 415, "unsupported_media_type")


FORM = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
BROKEN_FORMS = {
    "no boundary named": ("multipart/form-data", b""),
    "no boundary found": (FORM, b"motion=auto"),
    "nothing": (FORM, b""),
    "no last boundary": (FORM, PART % (b"motion", b"auto")),
    "a part without a name": (FORM, b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
    "a part without a head": (FORM, b"--b\r\n\r\nx\r\n--b--\r\n"),
    "a text that is not UTF-8": (FORM, PART % (b"prompt", b"\xff") + b"--b--\r\n"),
    "too many parts": (FORM, PART % (b"motion", b"auto") * 21 + b"--b--\r\n"),
    "a boundary that is too long": ("multipart/form-data; boundary=" + "b" * 300, b""),
}


@pytest.mark.parametrize(("kind", "body"), BROKEN_FORMS.values(), ids=BROKEN_FORMS.keys())
async def test_a_broken_form_is_a_bad_request(shared: Receiver, kind: str, body: bytes) -> None:
    answer = await shared.http.post("/v1/videos", content=body, headers={"content-type": kind})

    await _refused(shared, answer, 400, "bad_request")


INVALID_FORMS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "an unknown part": ({"colour": "red"}, {"colour"}),
    "fallback that is no word for yes or no": ({"fallback": "yes"}, {"fallback"}),
    "metadata that is no JSON": ({"metadata": "a=b"}, {"metadata"}),
    "metadata that is a list": ({"metadata": "[]"}, {"metadata"}),
    "a number in metadata": ({"metadata": '{"a": 1}'}, {"metadata.a"}),
    "an empty motion": ({"motion": ""}, {"motion"}),
    "a field as long as a book": ({"prompt": "x" * 70_000}, {"prompt"}),
    "an address beside the file": ({"image_url": "https://example.com/a"}, {"image", "image_url"}),
}


@pytest.mark.parametrize(("changes", "fields"), INVALID_FORMS.values(), ids=INVALID_FORMS.keys())
async def test_every_invalid_part_is_named(shared: Receiver, changes: dict[str, Any], fields: set[str]) -> None:
    answer = await shared.http.post("/v1/videos", data={**NO_PICTURE, **changes}, files={"image": picture()})

    problem = await _refused(shared, answer, 422, "invalid_request")
    assert {fault["field"] for fault in problem["errors"]} == fields


async def test_two_parts_of_one_name_are_named(shared: Receiver) -> None:
    files = [("image", picture()), ("image", picture())]

    answer = await shared.http.post("/v1/videos", data=NO_PICTURE, files=files)

    problem = await _refused(shared, answer, 422, "invalid_request")
    assert problem["errors"] == [{"field": "image", "message": "must be given once"}]


@pytest.mark.parametrize("upload", [b"GIF89a", b"<svg/>", picture(511, 512), picture()[:-20], b""])
async def test_a_picture_that_cannot_be_used_is_rejected(shared: Receiver, upload: bytes) -> None:
    answer = await shared.http.post("/v1/videos", data=NO_PICTURE, files={"image": upload})

    problem = await _refused(shared, answer, 422, "image_rejected")
    assert problem["detail"].startswith("the picture ")


async def test_a_picture_in_base64_is_checked_alike(shared: Receiver) -> None:
    encoded = base64.b64encode(picture(100, 100)).decode()

    answer = await shared.http.post("/v1/videos", json={"image_base64": encoded, "motion": "auto"})

    await _refused(shared, answer, 422, "image_rejected")


@pytest.mark.parametrize(
    ("motion", "provider"), [("look_up", "iacrea"), ("rotate_cw", "iacrea"), ("auto_reverse", "homedesigns")]
)
async def test_a_motion_that_the_provider_lacks_is_refused(shared: Receiver, motion: str, provider: str) -> None:
    answer = await shared.http.post("/v1/videos", json={**URL_REQUEST, "motion": motion, "provider": provider})

    problem = await _refused(shared, answer, 422, "motion_unsupported")
    assert {motion, provider} <= set(problem["detail"].replace(";", "").split())


async def test_a_provider_without_credentials_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with serving(tmp_path_factory.mktemp("off"), homedesigns_token=None) as service:
        answer = await service.http.post("/v1/videos", json={**URL_REQUEST, "provider": "homedesigns"})
        await _refused(service, answer, 422, "provider_disabled")

        answer = await service.http.post("/v1/videos", json={**URL_REQUEST, "motion": "look_up"})
        await _refused(service, answer, 422, "motion_unsupported")


async def test_before_a_generator_has_said_what_it_has_a_receiver_without_credentials_is_not_ready(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    none = {"homedesigns_token": None, "iacrea_api_key": None}
    async with serving(tmp_path_factory.mktemp("none"), **none) as service:
        answer = await service.http.post("/v1/videos", json=URL_REQUEST)
        await _refused(service, answer, 503, "not_ready")


async def test_the_known_fields_are_those_of_the_contract(shared: Receiver) -> None:  # noqa: ARG001 - in its loop
    assert set(VideoRequest.model_fields) == {
        "image_url", "image_base64", "motion", "prompt", "orientation", "provider", "fallback", "metadata",
    }  # fmt: skip
