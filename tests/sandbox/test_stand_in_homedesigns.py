"""HomeDesigns' stand-in takes what its pages document, refuses in their words, has every form of answer."""

import base64
import re
import struct
from collections.abc import Callable

import pytest

from tests.sandbox.server import BEARER, VIDEO, Opener, SandboxServer, png
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOOLS = ["pan_up", "pan_down", "pan_left_right", "zoom_in", "zoom_out", "camera_pullback", "rotate_cw",
         "rotate_ccw", "combining_motions", "look_up", "look_down"]  # fmt: skip


def jpeg(width: int, height: int) -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3) + b"\0" * 9
    return b"\xff\xd8" + b"\xff\xe0\x00\x10JFIF" + b"\0" * 10 + frame + b"\xff\xd9"


@pytest.mark.parametrize("tool", TOOLS)
async def test_every_documented_tool_is_taken(stand: SandboxServer, tool: str) -> None:
    answer = await stand.video(tool=tool)
    assert answer.status_code == 200
    assert answer.json()["status"] == "IN_QUEUE"
    assert re.fullmatch(r"[0-9a-f-]{36}-u1", answer.json()["id"])
    assert (await stand.last())["option"] == tool


@pytest.mark.parametrize("picture", [png(512, 512), jpeg(512, 700)], ids=["png", "jpeg"])
async def test_png_and_jpeg_of_512_pixels_are_taken(stand: SandboxServer, picture: bytes) -> None:
    assert (await stand.video(picture)).status_code == 200
    last = await stand.last()
    assert (last["picture_bytes"], last["charged"]) == (len(picture), True)


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
async def test_base64_text_in_the_same_field_is_taken(stand: SandboxServer, prefix: str) -> None:
    text = prefix + base64.b64encode(png()).decode()
    parts = {"image": (None, text), "tool_name": (None, "zoom_in")}
    assert (await stand.http.post(VIDEO, headers=BEARER, files=parts)).status_code == 200


@pytest.mark.parametrize(
    ("picture", "tool", "field", "text"),
    [
        (png(511, 800), "zoom_in", "image", "must be 512x512 or greater"),
        (jpeg(800, 100), "zoom_in", "image", "must be 512x512 or greater"),
        (b"GIF89a" + b"\0" * 50, "zoom_in", "image", "Only PNG, JPEG and JPG"),
        (b"\x89PNG\r\n\x1a\n", "zoom_in", "image", "Only PNG, JPEG and JPG"),
        (b"\xff\xd8\xff\xe0\xff\xff", "zoom_in", "image", "Only PNG, JPEG and JPG"),
        (b"", "zoom_in", "image", "Image field required"),
        (png(), "", "tool_name", "tool_name field required"),
        (png(), "ZOOM_IN", "tool_name", "not a valid enumeration member"),
    ],
)
async def test_a_fault_is_told_in_the_documented_words(
    stand: SandboxServer, picture: bytes, tool: str, field: str, text: str
) -> None:
    answer = await stand.video(picture, tool)
    assert answer.status_code == 422
    assert text in answer.json()["error"][field][0]
    assert (await stand.last())["charged"] is False


async def test_anything_but_a_form_has_neither_field(stand: SandboxServer) -> None:
    for body in ({"data": {"tool_name": "zoom_in"}}, {"json": {"tool_name": "zoom_in"}}):
        answer = await stand.http.post(VIDEO, headers=BEARER, **body)  # type: ignore[arg-type]  # either is right
        assert answer.json()["error"].keys() == {"image", "tool_name"}


async def test_an_undocumented_field_is_refused(stand: SandboxServer) -> None:
    form = {"tool_name": "zoom_in", "prompt": "slowly"}
    answer = await stand.http.post(VIDEO, headers=BEARER, files={"image": ("a.png", png())}, data=form)
    assert "prompt" in answer.json()["error"]


async def test_a_broken_form_is_refused(stand: SandboxServer) -> None:
    headers = BEARER | {"content-type": "multipart/form-data; boundary=x"}
    answer = await stand.http.post(VIDEO, headers=headers, content=b"--x\r\nnonsense")
    assert answer.status_code in (400, 422)


async def test_only_the_bearer_token_opens(stand: SandboxServer) -> None:
    for headers in (
        {},
        {"authorization": "sandbox-homedesigns-token"},
        {"x-api-key": "sandbox-homedesigns-token"},
    ):
        for path in (f"{VIDEO}/status_check/x", "/api/v2/user_info"):
            assert (await stand.http.get(path, headers=headers)).status_code == 401
        assert (await stand.http.post(VIDEO, headers=headers)).status_code == 401


async def test_the_account_is_told_in_two_parts_and_falls(stand: SandboxServer) -> None:
    await stand.video()
    data = (await stand.http.get("/api/v2/user_info", headers=BEARER)).json()["Data"]
    assert data[0].keys() == {"customer"}
    assert data[1]["Subscription"]["Left Credit"] == 99_999
    await stand.plan("homedesigns", "trailing-comma", on="credits")
    answer = await stand.http.get("/api/v2/user_info", headers=BEARER)
    assert answer.text.endswith(",}")


async def test_an_empty_account_pays_for_nothing(open_stand: Opener) -> None:
    stand = await open_stand(credits=0)
    assert (await stand.video()).status_code == 402


async def test_a_running_video_shows_all_words_and_nanoseconds(open_stand: Opener) -> None:
    stand = await open_stand(render_seconds=2.0)
    job = (await stand.video()).json()["id"]
    told: dict[str, dict[str, str]] = {}

    async def ended() -> bool:
        body = (await stand.status(job)).json()
        told[body.get("status", "")] = body
        return "output_video" in body

    await eventually(ended)
    assert told.keys() == {"IN_QUEUE", "starting", "processing", ""}
    assert re.search(r"\.\d{3}Z$", told["starting"]["created_at"])
    assert re.search(r"\.\d{9}Z$", told["processing"]["started_at"])
    assert told[""].keys() == {"input_image", "output_video"}


async def test_an_unknown_id_gets_the_documented_words(stand: SandboxServer) -> None:
    answer = await stand.status("never%20heard%2Fof")
    assert "Please Enter a Valid Queue ID" in answer.text


Told = Callable[[object], bool]


def _video(told: object) -> bool:
    return isinstance(told, dict) and str(told.get("output_video", "")).endswith(".mp4")


def _is(expected: dict[str, object]) -> Told:
    return lambda told: isinstance(told, dict) and expected.items() <= told.items()


ENDS: dict[str, Told] = {
    "ok": _video,
    "list": lambda told: isinstance(told, list) and _video(told[0]),
    "list-field": lambda told: isinstance(told, dict) and isinstance(told["output_video"], list),
    "success-tagged": lambda told: _video(told) and _is({"status": "SUCCESS"})(told),
    "wrapped": lambda told: isinstance(told, dict) and _video(told["data"]),
    "id-26": _video,
    "id-example": _video,
    "queue-id": _video,
    "fail": _is({"status": "FAILED"}),
    "fail-runpod": _is({"status": "FAILED"}),
    "fail-replicate": _is({"status": "failed"}),
    "fail-error": lambda told: isinstance(told, dict) and told.keys() == {"error"},
    "cancelled": _is({"status": "CANCELLED"}),
    "aborted": _is({"status": "aborted"}),
    "timed-out": _is({"status": "TIMED_OUT"}),
    "hostile-urls": lambda told: isinstance(told, dict) and told["output_video"][0] == "javascript:alert(1)",
    "hostile-urls-mixed": lambda told: isinstance(told, dict) and told["output_video"][-1].endswith(".mp4"),
    "private-urls": lambda told: isinstance(told, dict) and "169.254." in told["output_video"],
    "fail-then-succeed": _is({"status": "failed"}),
}
OTHERWISE = {"synchronous", "unknown-word", "bad-id-early", "bad-id-late", "lost-id", "never-finishes",
             "stuck-then-late", "charge-and-drop"}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
async def test_a_video_ends_as_its_behaviour_says(stand: SandboxServer, name: str) -> None:
    await stand.plan("homedesigns", name, render_seconds=0)
    accepted = (await stand.video()).json()
    job = accepted["queue_id" if name == "queue-id" else "id"]
    assert ENDS[name]((await stand.status(job)).json())
    last = await stand.last()
    assert (last["behaviour"], last["charged"], last["refunded"]) == (name, True, False)


@pytest.mark.parametrize(("name", "form"), [("id-26", r"[a-z0-9]{26}"), ("id-example", r"ag.*-vbg.*-ugf1")])
async def test_ids_come_in_three_styles(stand: SandboxServer, name: str, form: str) -> None:
    await stand.plan("homedesigns", name)
    assert re.fullmatch(form, (await stand.video()).json()["id"])


async def test_a_failure_may_be_taken_back(stand: SandboxServer) -> None:
    await stand.plan("homedesigns", "fail-then-succeed", render_seconds=0)
    job = (await stand.video()).json()["id"]
    assert (await stand.status(job)).json()["status"] == "failed"
    assert _video((await stand.status(job)).json())
    assert (await stand.last())["checks_after_end"] == 1


async def test_a_synchronous_answer_has_the_video_and_no_id(stand: SandboxServer) -> None:
    await stand.plan("homedesigns", "synchronous")
    told = (await stand.video()).json()
    assert _video(told)
    assert "id" not in told
    assert (await stand.last())["marker"] in told["output_video"]


async def test_an_unknown_word_means_nothing_until_the_end(stand: SandboxServer) -> None:
    await stand.plan("homedesigns", "unknown-word", render_seconds=0.2)
    job = (await stand.video()).json()["id"]
    assert (await stand.status(job)).json()["status"] == "upscaling"

    async def ended() -> bool:
        return _video((await stand.status(job)).json())

    await eventually(ended)


async def test_an_id_may_be_unknown_early_late_or_always(stand: SandboxServer) -> None:
    await stand.plan("homedesigns", "bad-id-early", seconds=0.15, render_seconds=0)
    await stand.plan("homedesigns", "bad-id-late", render_seconds=0.15)
    await stand.plan("homedesigns", "lost-id", render_seconds=0)
    early, late, lost = [(await stand.video()).json()["id"] for _ in range(3)]
    assert "Queue ID" in (await stand.status(early)).text
    assert "status" in (await stand.status(late)).json()
    assert "Queue ID" in (await stand.status(lost)).text

    async def turned() -> bool:
        known = _video((await stand.status(early)).json())
        return known and "Queue ID" in (await stand.status(late)).text

    await eventually(turned)
    assert "Queue ID" in (await stand.status(lost)).text


async def test_a_video_may_take_long_or_for_ever(stand: SandboxServer) -> None:
    await stand.plan("homedesigns", "stuck-then-late", seconds=0.2)
    await stand.plan("homedesigns", "never-finishes")
    late, never = [(await stand.video()).json()["id"] for _ in range(2)]

    async def ended() -> bool:
        return _video((await stand.status(late)).json())

    assert not await ended()
    await eventually(ended)
    assert "status" in (await stand.status(never)).json()
