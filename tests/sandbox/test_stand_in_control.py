"""A test chooses what goes wrong by plan, marker or weight, and reads back all that was seen."""

import asyncio
from collections import Counter

import httpx
import pytest

from sandbox.app import build
from sandbox.behaviours import BEHAVIOURS
from sandbox.records import Records
from sandbox.settings import PROVIDERS, SandboxSettings
from tests.sandbox.server import BEARER, GENERATE, KEY, VIDEO, Opener, SandboxServer, png

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_every_behaviour_is_listed_with_a_line(stand: SandboxServer) -> None:
    listed = (await stand.http.get("/sandbox/behaviours")).json()
    for provider in PROVIDERS:
        assert listed[provider].keys() == BEHAVIOURS[provider].keys()
        assert all(len(line) > 8 for line in listed[provider].values())
    assert "http-429-retry-date" in listed["check"]


async def test_a_plan_is_used_up_request_by_request(stand: SandboxServer) -> None:
    await stand.plan("iacrea", "http-503", count=2)
    await stand.plan("iacrea", ["http-429", "ok"])
    queued = (await stand.http.get("/sandbox/plan")).json()["iacrea"]["submit"]
    assert [(each["behaviour"], each["left"]) for each in queued] == [
        ("http-503", 2),
        ("http-429", 1),
        ("ok", 1),
    ]
    statuses = [(await stand.generate()).status_code for _ in range(5)]
    assert statuses == [503, 503, 429, 200, 200]
    assert Counter(each["chosen_by"] for each in await stand.records()) == {"plan": 4, "weights": 1}


async def test_plans_for_one_provider_do_not_touch_the_other(stand: SandboxServer) -> None:
    await stand.plan("iacrea", "http-503")
    assert (await stand.video()).status_code == 200


async def test_a_plan_can_be_withdrawn(stand: SandboxServer) -> None:
    await stand.plan("iacrea", "http-503", count=9)
    await stand.http.delete("/sandbox/plan")
    assert (await stand.generate()).status_code == 200


@pytest.mark.parametrize(
    "more",
    [
        {"prompt": "slowly, sandbox: fail"},
        {"image_urls": ["http://pictures.example/a.png?size=2&sandbox=fail"]},
    ],
)
async def test_a_marker_in_prompt_or_address_chooses(stand: SandboxServer, more: dict[str, object]) -> None:
    await stand.generate(**more)
    last = await stand.last()
    assert (last["behaviour"], last["chosen_by"]) == ("fail", "marker")


async def test_a_marker_in_file_name_or_last_bytes_chooses(stand: SandboxServer) -> None:
    await stand.video(name="sandbox=fail.png")
    await stand.video(png() + b"\nsandbox: cancelled")
    assert [each["behaviour"] for each in await stand.records()] == ["fail", "cancelled"]


async def test_a_marker_may_count_and_time(stand: SandboxServer) -> None:
    prompt = "sandbox: http-503-retry-after x2 9s"
    answers = [await stand.generate(prompt=prompt) for _ in range(3)]
    assert [each.status_code for each in answers] == [503, 503, 200]
    assert answers[0].headers["retry-after"] == "9"
    assert (await stand.generate(prompt=prompt, webhook="http://127.0.0.1:9/x")).status_code == 503


async def test_a_word_that_is_no_behaviour_is_only_a_prompt(stand: SandboxServer) -> None:
    assert (await stand.generate(prompt="a sandbox: toys and a spade")).status_code == 200


async def test_a_plan_goes_before_a_marker(stand: SandboxServer) -> None:
    await stand.plan("iacrea", "lower-case")
    await stand.generate(prompt="sandbox: fail")
    assert (await stand.last())["behaviour"] == "lower-case"


async def test_weights_draw_the_same_again_with_the_same_seed(stand: SandboxServer) -> None:
    weights = {"provider": "iacrea", "weights": {"ok": 60, "fail": 30, "http-500": 10}, "seed": 7}
    drawn = []
    for _ in range(2):
        await stand.http.delete("/sandbox/records")
        assert (await stand.http.post("/sandbox/behaviours", json=weights)).status_code == 200
        for _ in range(40):
            await stand.generate()
        drawn.append([each["behaviour"] for each in await stand.records()])
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == {"ok", "fail", "http-500"}


@pytest.mark.parametrize(("mode", "status"), [("503", 503), ("401", 401), ("html-502", 502), ("http-429", 429)])
async def test_an_outage_meets_every_request_until_lifted(stand: SandboxServer, mode: str, status: int) -> None:
    await stand.http.post("/sandbox/outage", json={"provider": "homedesigns", "mode": mode})
    assert (await stand.video()).status_code == status
    assert (await stand.status("x")).status_code == status
    assert (await stand.http.get("/api/v2/user_info", headers=BEARER)).status_code == status
    assert (await stand.generate()).status_code == 200
    await stand.http.post("/sandbox/outage", json={"provider": "homedesigns", "mode": None})
    assert (await stand.video()).status_code == 200


async def test_on_the_shared_port_a_refusing_provider_drops_connections(stand: SandboxServer) -> None:
    await stand.http.post("/sandbox/outage", json={"provider": "iacrea", "mode": "refuse"})
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await stand.generate()


async def test_on_its_own_port_a_refusing_provider_really_refuses(open_stand: Opener) -> None:
    stand = await open_stand(iacrea_port=0, homedesigns_port=0)
    own = stand.addresses.homedesigns
    assert len({stand.addresses.sandbox, stand.addresses.iacrea, own}) == 3
    async with httpx.AsyncClient(trust_env=False) as http:
        for mode in ("refuse", "refuse", None):
            await stand.http.post("/sandbox/outage", json={"provider": "homedesigns", "mode": mode})
            if mode:
                with pytest.raises(httpx.ConnectError):
                    await http.get(f"{own}/api/v2/user_info", headers=BEARER)
        assert (await http.get(f"{own}/api/v2/user_info", headers=BEARER)).status_code == 200
        assert (await http.get(f"{stand.addresses.iacrea}/sandbox/health")).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("plan", {"behaviour": "ok"}, "provider"),
        ("plan", {"provider": "iacrea", "behaviour": "nonsense"}, "behaviour"),
        ("plan", {"provider": "iacrea", "behaviour": "list"}, "behaviour"),
        ("plan", {"provider": "iacrea", "behaviour": []}, "behaviour"),
        ("plan", {"provider": "iacrea", "behaviour": "ok", "on": "check"}, "behaviour"),
        ("plan", {"provider": "iacrea", "behaviour": "ok", "on": "never"}, "on"),
        ("plan", {"provider": "iacrea", "behaviour": "ok", "count": 0}, "count"),
        ("plan", {"provider": "iacrea", "behaviour": "ok", "seconds": -1}, "seconds"),
        ("plan", {"provider": "iacrea", "behaviour": "ok", "times": 1}, "times"),
        ("outage", {"provider": "iacrea", "mode": "sunny"}, "mode"),
        ("outage", {"provider": "iacrea", "mode": 503}, "mode"),
        ("credits", {"provider": "iacrea", "remaining": -1}, "remaining"),
        ("behaviours", {"provider": "iacrea", "weights": {"nonsense": 1}}, "weights"),
        ("behaviours", {"provider": "iacrea", "weights": {"ok": 0}}, "weights"),
        ("behaviours", {"provider": "iacrea", "weights": {"ok": -1, "fail": 2}}, "weights"),
        ("behaviours", {"provider": "iacrea", "weights": {"ok": "1"}}, "weights"),
        ("behaviours", {"provider": "iacrea", "weights": {"ok": 1}, "seed": "a"}, "seed"),
        ("plan", [], "object"),
    ],
)
async def test_a_control_request_that_makes_no_sense_says_why(
    stand: SandboxServer, path: str, body: object, field: str
) -> None:
    answer = await stand.http.post(f"/sandbox/{path}", json=body)
    assert answer.status_code == 400
    assert field in answer.json()["error"]


async def test_time_and_credits_can_be_changed_while_running(stand: SandboxServer) -> None:
    await stand.http.post("/sandbox/behaviours", json={"provider": "iacrea", "render_seconds": 30})
    await stand.http.post("/sandbox/credits", json={"provider": "iacrea", "remaining": 5})
    accepted = (await stand.generate()).json()
    assert accepted["remaining_videos"] == 4
    last = await stand.last()
    assert last["ends_at"] - last["arrived_at"] == pytest.approx(30)  # type: ignore[operator]  # numbers


async def test_records_page_and_one_is_found_by_id_or_marker(stand: SandboxServer) -> None:
    for _ in range(3):
        await stand.video()
    page = (await stand.http.get("/sandbox/records", params={"offset": 1, "limit": 1})).json()
    assert page["total"] == 3
    [record] = page["records"]
    for name in (record["job_id"], record["marker"]):
        assert (await stand.http.get(f"/sandbox/records/{name}")).json() == record
    assert (await stand.http.get("/sandbox/records/nobody")).status_code == 404
    assert (await stand.http.get("/sandbox/records", params={"limit": "x"})).status_code == 400


async def test_the_summary_counts_requests_and_shows_the_same_picture_twice(stand: SandboxServer) -> None:
    await asyncio.gather(*(stand.video() for _ in range(2)), stand.video(png(shade=7)))
    await stand.http.post(VIDEO, headers=BEARER | {"x-api-key": "another's"})
    await stand.http.post(GENERATE, headers=KEY | {"authorization": "Bearer another's"})
    summary = await stand.summary("homedesigns")
    assert (summary["submissions"], summary["accepted"], summary["max_requests_per_second"]) == (4, 3, 4)
    assert [len(each) for each in summary["duplicates_by_picture"].values()] == [2]  # type: ignore[attr-defined]
    for provider in PROVIDERS:
        assert (await stand.summary(provider))["requests"]["foreign_credentials"] == 1  # type: ignore[index]


async def test_forgotten_records_are_gone_and_accounts_full(stand: SandboxServer) -> None:
    job = (await stand.generate()).json()["generation_id"]
    await stand.http.delete("/sandbox/records")
    assert await stand.records() == []
    assert (await stand.get(job)).status_code == 404
    assert (await stand.summary("iacrea"))["credits"] == 100_000


async def test_only_so_many_records_are_kept() -> None:
    records = Records(limit=100)
    for number in range(1000):
        submission = records.begin("iacrea", float(number))
        submission.job_id, submission.marker = f"job-{number}", f"marker-{number}"
        records.accepted(submission)
    assert (len(records), records.forgotten) == (100, 900)
    assert records.job("iacrea", "job-899") is None
    assert records.marked("marker-900") is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("port", 70000),
        ("homedesigns_port", -1),
        ("render_seconds", -1),
        ("jitter", 1),
        ("iacrea_behaviour", "no"),
    ],
)
async def test_a_wrong_setting_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        build(SandboxSettings(**{field: value}))  # type: ignore[arg-type]  # wrong on purpose
