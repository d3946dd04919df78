"""IACrea's stand-in takes what its pages document and nothing else, and keeps its account."""

import asyncio

import pytest

from tests.sandbox.server import GENERATE, KEY, USER, Catcher, Opener, SandboxServer
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_video_runs_from_starting_to_an_address_with_its_own_marker(open_stand: Opener) -> None:
    stand = await open_stand(render_seconds=4)  # it starts for a quarter of that, which a busy machine must not miss
    accepted = (await stand.generate()).json()
    assert accepted.keys() == {"generation_id", "remaining_videos", "project_id"}
    words = set()

    async def ended() -> bool:
        words.add((await stand.get(accepted["generation_id"])).json()["status"])
        return "SUCCEEDED" in words

    await eventually(ended)
    assert words == {"STARTING", "IN_PROGRESS", "SUCCEEDED"}
    told = (await stand.get(accepted["generation_id"])).json()
    assert told["urls"] == [f"{stand.url}/clips/{(await stand.last())['marker']}.mp4"]


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"user_id": None}, 400, "user_id"),
        ({"user_id": "me"}, 400, "UUID"),
        ({"user_id": "00000000-0000-4000-8000-00000000dead"}, 401, "does not belong"),
        ({"image_urls": "http://a.example/a.png"}, 400, "image_urls"),
        ({"image_urls": []}, 400, "image_urls"),
        ({"image_urls": ["a.png"]}, 400, "image_urls"),
        ({"option": "zoom_in"}, 400, "option"),
        ({"option": "ROTATE"}, 400, "option"),
        ({"option": None}, 400, "option"),
        ({"prompt": 7}, 400, "prompt"),
        ({"webhook": "nowhere"}, 400, "webhook"),
        ({"seed": 7}, 400, "Unknown field: seed"),
    ],
    ids=str,
)
async def test_what_is_not_documented_is_refused_and_costs_nothing(
    stand: SandboxServer, body: dict[str, object], status: int, text: str
) -> None:
    answer = await stand.generate(**body)
    assert answer.status_code == status
    assert text in answer.json()["error"]
    summary = await stand.summary("iacrea")
    assert (summary["accepted"], summary["credits"]) == (0, 100_000)


@pytest.mark.parametrize("option", ["ZOOM_IN", "ZOOM_OUT", "PAN_RIGHT", "PAN_LEFT", "PAN_UP", "PAN_DOWN",
                                    "CAMERA_PUSH_OUT", "AUTO_EFFECTS", "AUTO_REVERSE"])  # fmt: skip
async def test_every_documented_option_is_taken(stand: SandboxServer, option: str) -> None:
    assert (await stand.generate(option=option, format="portrait", prompt="slowly")).status_code == 200
    last = await stand.last()
    assert (last["option"], last["format"], last["prompt"]) == (option, "portrait", "slowly")


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "wrong"}, {"authorization": "Bearer sandbox-iacrea-key"}])
async def test_only_the_right_key_in_the_right_header_opens(stand: SandboxServer, headers: dict[str, str]) -> None:
    for path in (GENERATE, "/api/animation/v2/get", "/api/account/credit"):
        assert (await stand.http.post(path, headers=headers, json={"user_id": USER})).status_code == 401
    requests = (await stand.summary("iacrea"))["requests"]
    assert isinstance(requests, dict)
    assert requests["unauthorised"] == 3


@pytest.mark.parametrize(
    ("content", "kind"), [(b"{", "application/json"), (b"[]", "application/json"), (b"{}", "text/plain")]
)
async def test_a_body_that_is_no_json_object_is_refused(stand: SandboxServer, content: bytes, kind: str) -> None:
    answer = await stand.http.post(GENERATE, headers=KEY | {"content-type": kind}, content=content)
    assert answer.status_code == 400


async def test_an_unknown_generation_is_not_found(stand: SandboxServer) -> None:
    assert (await stand.get("nobody's")).status_code == 404
    assert (await stand.get(7)).status_code == 400


async def test_a_credit_goes_at_submission_and_comes_back_on_failed(open_stand: Opener) -> None:
    stand = await open_stand(credits=2)
    await stand.plan("iacrea", ["ok", "fail"])
    first, second = (await stand.generate()).json(), (await stand.generate()).json()
    assert (first["remaining_videos"], second["remaining_videos"]) == (1, 0)
    broke = await stand.generate()
    assert broke.status_code == 402
    assert "credits" in broke.json()["error"]

    async def balance() -> int:
        answer = await stand.http.post("/api/account/credit", headers=KEY, json={"user_id": USER})
        assert answer.json().keys() == {"total", "subscription", "extra"}
        return int(answer.json()["total"])

    async def refunded() -> bool:
        return await balance() == 1

    await eventually(refunded)
    assert (await stand.get(second["generation_id"])).json() == {"status": "FAILED"}
    assert await balance() == 1
    summary = await stand.summary("iacrea")
    assert (summary["charged"], summary["refunded"]) == (2, 1)


async def test_the_webhook_says_what_the_status_call_says_and_names_nobody(
    stand: SandboxServer, catcher: Catcher
) -> None:
    job = (await stand.generate(webhook=f"{catcher.url}/hook")).json()["generation_id"]

    async def called() -> bool:
        return bool((await stand.last())["webhooks"])

    await eventually(called)
    [webhook] = catcher.webhooks
    assert webhook.told == (await stand.get(job)).json()
    assert webhook.headers["content-type"] == "application/json"
    assert (await stand.summary("iacrea"))["webhook_answers"] == {"200": 1}


@pytest.mark.parametrize("host", ["http://203.0.113.9/hook", "https://127.0.0.1/hook"])
async def test_no_webhook_leaves_loopback(stand: SandboxServer, host: str) -> None:
    await stand.generate(webhook=host)

    async def tried() -> bool:
        return bool((await stand.last())["webhooks"])

    await eventually(tried)
    assert "not on loopback" in str((await stand.last())["webhooks"])


async def test_the_picture_is_fetched_even_over_a_redirect(stand: SandboxServer, catcher: Catcher) -> None:
    await stand.generate(image_urls=[f"{catcher.url}/moved"])

    async def fetched() -> bool:
        return (await stand.last())["picture_sha256"] is not None

    await eventually(fetched)
    assert [each.path for each in catcher.requests] == ["/moved", "/picture.png"]


@pytest.mark.parametrize("path", ["/missing", "/page"])
async def test_a_picture_that_cannot_be_had_fails_the_video_and_is_refunded(
    open_stand: Opener, catcher: Catcher, path: str
) -> None:
    stand = await open_stand(render_seconds=0.9)
    job = (await stand.generate(image_urls=[catcher.url + path])).json()["generation_id"]

    async def failed() -> bool:
        return bool((await stand.get(job)).json()["status"] == "FAILED")

    await eventually(failed)
    assert (await stand.last())["refunded"] is True


async def test_two_submissions_with_one_webhook_show_as_a_duplicate(stand: SandboxServer) -> None:
    await asyncio.gather(*(stand.generate(webhook="http://127.0.0.1:9/same") for _ in range(2)))
    await stand.generate(webhook="http://127.0.0.1:9/other")
    duplicates = (await stand.summary("iacrea"))["duplicates_by_webhook"]
    assert isinstance(duplicates, dict)
    assert list(duplicates) == ["http://127.0.0.1:9/same"]
