"""A valid request makes a video: whichever of the documented forms it has, it means the same."""

import base64
import json
from typing import Any

import pytest

from schemas.names import Motion
from tests.support.pictures import picture
from tests.support.receiver import URL_REQUEST, Receiver

pytestmark = pytest.mark.asyncio(loop_scope="module")

PNG = picture()
JPEG = picture(640, 512, kind="JPEG")


async def test_a_request_is_answered_with_the_video_and_its_address(shared: Receiver) -> None:
    answer = await shared.http.post("/v1/videos", json=URL_REQUEST)

    video = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/videos/{video['id']}"
    assert (await shared.http.get(answer.headers["location"])).json() == video
    links = {relation: link["url"] for relation, link in answer.links.items()}
    assert links == {
        "self": f"/v1/videos/{video['id']}",
        "events": f"/v1/videos/{video['id']}/events",
        "console": f"/console/videos/{video['id']}",
    }
    assert [(await shared.http.get(link)).status_code for link in links.values()] == [200, 200, 200]


async def test_what_is_left_out_has_its_documented_default(shared: Receiver) -> None:
    video = (await shared.http.post("/v1/videos", json=URL_REQUEST)).json()

    assert {name: video[name] for name in ("status", "orientation", "prompt", "metadata", "provider")} == {
        "status": "accepted",
        "orientation": "landscape",
        "prompt": None,
        "metadata": {},
        "provider": None,
    }
    assert (video["attempts"], video["output_urls"], video["error"]) == ([], [], None)


async def test_what_is_given_comes_back(shared: Receiver) -> None:
    given: dict[str, Any] = {
        "motion": "pan_left",
        "orientation": "portrait",
        "prompt": "a quiet street ☕",
        "metadata": {"order": "17", "": ""} | {"k" * 64: "v" * 512},
    }
    del given["metadata"][""]

    video = (await shared.http.post("/v1/videos", json={**URL_REQUEST, **given, "provider": "homedesigns"})).json()

    assert {name: video[name] for name in given} == given
    assert video["input_image"] == URL_REQUEST["image_url"]


@pytest.mark.parametrize("motion", Motion)
async def test_every_motion_is_accepted(shared: Receiver, motion: Motion) -> None:
    answer = await shared.http.post("/v1/videos", json={**URL_REQUEST, "motion": motion})

    assert answer.status_code == 202
    assert answer.json()["motion"] == motion


@pytest.mark.parametrize(
    "written",
    [
        base64.b64encode(PNG).decode(),
        "data:image/png;base64," + base64.b64encode(PNG).decode(),
        "data:;base64," + base64.b64encode(JPEG).decode(),
        base64.encodebytes(PNG).decode(),
        " \t" + base64.b64encode(JPEG).decode() + "\r\n",
    ],
    ids=["plain", "data URL", "data URL without a type", "in lines", "spaces around"],
)
async def test_a_picture_may_come_as_base64(shared: Receiver, written: str) -> None:
    answer = await shared.http.post("/v1/videos", json={"image_base64": written, "motion": "auto"})

    assert answer.status_code == 202, answer.text
    assert (await shared.http.get(answer.json()["input_image"])).content in {PNG, JPEG}


async def test_a_picture_may_come_as_a_file(shared: Receiver) -> None:
    fields = {"motion": "zoom_out", "metadata": json.dumps({"a": "b"}), "fallback": "false", "prompt": "ü"}

    answer = await shared.http.post("/v1/videos", data=fields, files={"image": ("x.gif", JPEG, "text/html")})

    video = answer.json()
    assert answer.status_code == 202, answer.text
    assert (video["motion"], video["metadata"], video["prompt"]) == ("zoom_out", {"a": "b"}, "ü")
    assert (await shared.http.get(video["input_image"])).headers["content-type"] == "image/jpeg"


async def test_a_form_may_name_an_address_instead_of_a_file(shared: Receiver) -> None:
    parts = {name: (None, value) for name, value in URL_REQUEST.items()}

    answer = await shared.http.post("/v1/videos", files=parts)

    assert answer.status_code == 202, answer.text
    assert answer.json()["input_image"] == URL_REQUEST["image_url"]


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
async def test_the_content_type_of_json_may_be_spelt_in_any_way(shared: Receiver, kind: str) -> None:
    answer = await shared.http.post(
        "/v1/videos", content=json.dumps(URL_REQUEST).encode(), headers={"content-type": kind}
    )

    assert answer.status_code == 202


async def test_a_large_picture_is_taken_whole(shared: Receiver) -> None:
    large = PNG + bytes(9_000_000)

    answer = await shared.http.post("/v1/videos", data={"motion": "auto"}, files={"image": large})

    assert answer.status_code == 202
    assert (await shared.http.get(answer.json()["input_image"])).content == large


@pytest.mark.parametrize("value", [None, True, False])
async def test_fallback_may_be_chosen_or_left_open(shared: Receiver, value: object) -> None:
    answer = await shared.http.post("/v1/videos", json={**URL_REQUEST, "fallback": value})

    assert answer.status_code == 202
