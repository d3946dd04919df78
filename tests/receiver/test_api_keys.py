"""API keys: rotation, hashes, scopes, budgets, expiry, a kill switch without restart, and an audit log of their use."""

import asyncio
import hashlib
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from jobs import audit
from process.api_keys import digest_of
from process.settings import Settings
from receiver import throttle
from schemas.audit import AuditAction
from schemas.scopes import ALL_SCOPES, Scope
from store import api_keys
from store import audit as rows
from store.api_keys import StoredKey
from tests.support.ports import free_port
from tests.support.receiver import PROVIDERS, URL_REQUEST, Receiver, serving
from tests.support.service import Command
from tests.support.waiting import eventually

SHOP = "shop-key-of-tests"
MADE = "a-key-that-was-made-in-the-store"


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def stored(name: str = "made", key: str = MADE, **fields: object) -> StoredKey:
    made = StoredKey(name, digest_of(key.encode()).hex(), ALL_SCOPES, None, time.time(), None, None)
    return made._replace(**fields)  # type: ignore[arg-type]  # any field


async def seconds_until(http: httpx.AsyncClient, key: str, status: int) -> float:
    """Ask until a key is answered with a status; give the seconds that it took."""
    began = time.monotonic()
    while (answer := await http.get("/v1/videos", headers=bearer(key))).status_code != status:
        assert time.monotonic() - began < 20, answer.text
        await asyncio.sleep(0.05)
    return time.monotonic() - began


@pytest_asyncio.fixture
async def keyed(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with serving(tmp_path, api_keys=f"shop:{SHOP}") as service:
        yield service


async def test_the_public_surface_cannot_be_used_to_try_keys(tmp_path: Path) -> None:
    async with serving(tmp_path, surface="public", api_keys=f"shop:{SHOP}") as service:
        unknown = answer = await service.http.get("/no/such/address")
        for method in ("GET", "POST", "DELETE"):
            for path in ("/v1", "/v1/x", "/v1/videos", "/v1/audit", "/metrics"):
                for headers in ({}, bearer(SHOP), bearer("wrong")):
                    answer = await service.http.request(method, path, headers=headers)
                    assert (answer.status_code, answer.content) == (404, unknown.content)
        assert "ratelimit-policy" not in answer.headers


async def test_the_public_surface_tells_strangers_nothing_but_whether_it_is_ready(tmp_path: Path) -> None:
    class RefusedBroker:
        connected = False
        last_error = "the broker refused our credentials"

    async with serving(tmp_path / "a", surface="public") as service:
        assert (await service.http.get("/readyz")).json() == {"status": "ready"}
    async with serving(tmp_path / "b", surface="public", broker=RefusedBroker()) as service:
        answer = await service.http.get("/readyz")
    assert answer.status_code == 503
    assert not {"broker", "credentials", "event", "errors"} & set(answer.text.replace('"', " ").split())


async def test_two_keys_of_one_name_are_one_caller(tmp_path: Path) -> None:
    newer = hashlib.sha256(b"the newer key of the shop").hexdigest()
    async with serving(tmp_path, api_keys=f"shop:{SHOP},shop:sha256${newer}") as service:
        made = [
            await service.http.post(
                "/v1/videos", json=URL_REQUEST, headers={**bearer(key), "idempotency-key": "order 7"}
            )
            for key in (SHOP, "the newer key of the shop")
        ]
    assert [answer.status_code for answer in made] == [202, 200]
    assert made[0].json()["id"] == made[1].json()["id"]


@pytest.mark.parametrize("held", [*Scope])
async def test_a_key_may_do_what_its_scopes_say_and_nothing_else(keyed: Receiver, held: Scope) -> None:
    await keyed.store.write(api_keys.add, stored(scopes=frozenset({held})))
    nobody = "/v1/videos/01a1fb80-55bb-754f-a0b3-000000000000"
    requests = {
        Scope.SUBMIT: [("POST", "/v1/videos"), ("POST", "/v1/videos/batch"), ("POST", f"{nobody}/retry")],
        Scope.READ: [("GET", "/v1/videos"), ("HEAD", nobody), ("GET", "/v1/credits"), ("GET", "/v1/status")],
        Scope.REDELIVER: [("POST", f"{nobody}/redeliver")],
        Scope.OPERATE: [
            ("GET", "/v1/audit"),
            ("DELETE", nobody),
            ("POST", "/v1/providers/iacrea/pause"),
            ("POST", f"{nobody}/check"),
            ("GET", "/v1/webhooks"),
            ("GET", "/v1/webhooks/refused"),
            ("GET", "/v1/settings"),
            ("GET", "/v1/dead-commands"),
            ("DELETE", "/v1/dead-commands/x"),
            ("POST", "/v1/dead-commands/x/requeue"),
        ],
        Scope.METRICS: [("GET", "/metrics")],
    }
    for needed, asked in requests.items():
        for method, path in asked:
            answer = await keyed.http.request(method, path, headers=bearer(MADE))
            assert (answer.status_code == 403) is (needed is not held), (method, path, answer.text)
            if needed is not held and method != "HEAD":
                assert answer.json()["code"] == "forbidden"
                assert f"lacks the scope {needed}" in answer.json()["detail"]


async def test_a_budget_holds_under_concurrency_and_names_when_to_come_again(keyed: Receiver) -> None:
    await keyed.store.write(api_keys.add, stored(budget=5))
    asked = [keyed.http.post("/v1/videos", json=URL_REQUEST, headers=bearer(MADE)) for _ in range(20)]
    answers = await asyncio.gather(*asked)

    assert sorted(answer.status_code for answer in answers) == [202] * 5 + [429] * 15
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "budget_exhausted"
    assert 1 <= int(refused.headers["retry-after"]) <= 86400
    assert (await keyed.http.post("/v1/videos", json=URL_REQUEST, headers=bearer(SHOP))).status_code == 202


async def test_a_repeated_request_costs_no_budget(keyed: Receiver) -> None:
    await keyed.store.write(api_keys.add, stored(budget=1))
    headers = {**bearer(MADE), "idempotency-key": "once"}
    statuses = [(await keyed.http.post("/v1/videos", json=URL_REQUEST, headers=headers)).status_code for _ in range(3)]

    assert statuses == [202, 200, 200]


async def test_an_expired_key_opens_no_more(tmp_path: Path) -> None:
    async with serving(tmp_path, api_keys=f"shop:{SHOP}") as service:
        await service.store.write(api_keys.add, stored(expires_at=service.context.now() + 1.5))
        await seconds_until(service.http, MADE, 200)
        await seconds_until(service.http, MADE, 401)


async def test_a_created_key_opens_and_a_disabled_one_does_not_within_five_seconds(keyed: Receiver) -> None:
    assert (await keyed.http.get("/v1/videos", headers=bearer(MADE))).status_code == 401
    await keyed.store.write(api_keys.add, stored())
    assert await seconds_until(keyed.http, MADE, 200) < 5
    await keyed.store.write(api_keys.disable, "made", now=time.time())
    assert await seconds_until(keyed.http, MADE, 401) < 5
    await keyed.store.write(api_keys.disable, "shop", now=time.time())
    assert await seconds_until(keyed.http, SHOP, 401) < 5


async def test_a_stream_of_events_ends_with_its_key(keyed: Receiver) -> None:
    await keyed.store.write(api_keys.add, stored())
    await seconds_until(keyed.http, MADE, 200)
    told = b""
    async with keyed.http.stream("GET", "/v1/events", headers=bearer(MADE), timeout=20) as answer:
        assert answer.status_code == 200
        await keyed.store.write(api_keys.disable, "made", now=time.time())
        await seconds_until(keyed.http, MADE, 401)
        video_id = await keyed.make()
        await keyed.finish(video_id)
        async for piece in answer.aiter_raw():
            told += piece
    assert b"video.ready" not in told


async def test_disabled_keys_never_open_the_door_to_those_without_any(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        assert (await service.http.get("/v1/videos")).status_code == 200
        await service.store.write(api_keys.add, stored())
        await seconds_until(service.http, MADE, 200)
        await service.store.write(api_keys.disable, "made", now=time.time())
        await seconds_until(service.http, MADE, 401)
        assert (await service.http.get("/v1/videos")).status_code == 401


async def test_keys_in_a_file_are_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"shop:{SHOP}\n")
    (tmp_path / "store").mkdir()
    settings = {
        "port": free_port(),
        "database_url": f"sqlite:///{tmp_path}/store/reelbus.db",
        "api_keys_file": file,
        **PROVIDERS,
    }
    read = Settings.read({f"REELBUS_{name.upper()}": str(value) for name, value in settings.items()}, file=None)
    async with serving(tmp_path, chosen=read) as service:
        assert (await service.http.get("/v1/videos", headers=bearer(SHOP))).status_code == 200
        replacement = tmp_path / "new"
        replacement.write_text(f"shop:{MADE}\n")
        replacement.replace(file)
        assert await seconds_until(service.http, MADE, 200) < 5
        assert (await service.http.get("/v1/videos", headers=bearer(SHOP))).status_code == 401
        file.write_text("shop:short")
        await asyncio.sleep(1.5)
        assert (await service.http.get("/v1/videos", headers=bearer(MADE))).status_code == 200


async def test_wrong_keys_are_throttled_but_a_valid_one_of_the_same_peer_is_not(keyed: Receiver) -> None:
    answers = [
        (await keyed.http.get("/v1/videos", headers=bearer(f"wrong {number}"))).status_code
        for number in range(throttle.ALLOWED + 3)
    ]
    throttled = await keyed.http.get("/v1/videos", headers=bearer("wrong"))

    assert answers == [401] * throttle.ALLOWED + [429] * 3
    assert throttled.json()["code"] == "rate_limited"
    assert 1 <= int(throttled.headers["retry-after"]) <= throttle.WINDOW_SECONDS
    assert (await keyed.http.get("/v1/videos")).status_code == 200


def test_what_is_remembered_of_peers_is_bounded_and_ends() -> None:
    now = 1000.0
    refused = throttle.RefusedKeys(lambda: now)
    for number in range(throttle.MOST_PEERS + 50):
        refused.count(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}")
    assert len(refused._peers) == throttle.MOST_PEERS
    assert refused.count("2001:db8::1")
    assert not refused.count("2001:db8::2")
    now += throttle.WINDOW_SECONDS
    assert refused.count("2001:db8::3")


async def test_the_audit_log_tells_who_did_what(keyed: Receiver) -> None:
    video_id = await keyed.make()
    await keyed.finish(video_id)
    assert (await keyed.http.post(f"/v1/videos/{video_id}/redeliver")).status_code == 202
    for _ in range(3):
        await keyed.http.get("/v1/videos", headers=bearer("wrong"))

    async def entries() -> list[tuple[str, str, str | None]]:
        items = (await keyed.http.get("/v1/audit")).json()["items"]
        return [(entry["actor"], entry["action"], entry["subject"]) for entry in items]

    while len(found := await entries()) < 3:
        await asyncio.sleep(0.02)
    assert found == [
        (":stranger", "key_refused", None),
        ("shop", "redelivered", video_id),
        ("shop", "submitted", video_id),
    ]


async def test_the_audit_log_is_paged(keyed: Receiver) -> None:
    ids = [await keyed.make() for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (
            await keyed.http.get("/v1/audit", params={"limit": "2", **({"cursor": cursor} if cursor else {})})
        ).json()
        seen += [entry["subject"] for entry in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ids[::-1]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=201", "cursor=x", "cursor=", "limit=1&limit=2", "x=1"])
async def test_an_audit_query_is_checked(keyed: Receiver, query: str) -> None:
    assert (await keyed.http.get(f"/v1/audit?{query}")).status_code == 422


async def test_private_answers_are_neither_kept_nor_guessed_at(keyed: Receiver) -> None:
    video_id = await keyed.make()
    for path in ("/v1/videos", f"/v1/videos/{video_id}", "/v1/credits", "/v1/no/such", "/v1/audit", "/metrics"):
        headers = (await keyed.http.get(path)).headers
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff"), path


async def test_where_others_can_reach_it_metrics_need_a_key_with_their_scope(tmp_path: Path) -> None:
    async with serving(tmp_path, api_keys=f"shop:{SHOP}", host="0.0.0.0") as service:  # noqa: S104 - keys are set
        without = {"authorization": ""}
        assert (await service.http.get("/metrics", headers=without)).status_code == 401
        assert (await service.http.get("/metrics")).status_code == 200
        assert (await service.http.get("/readyz", headers=without)).status_code == 200


@pytest.mark.parametrize("path", ["/v1/videos", "/metrics", "/console"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:8080"}, 200),
        ({"origin": "https://evil.example"}, 401),
        ({"origin": "null"}, 401),
        ({"host": "test"}, 401),
        ({"host": "testserver"}, 401),
        ({"host": "[::1].evil.example"}, 401),
        ({"host": "evil.example"}, 401),
        ({"authorization": "Bearer whatever", "host": "evil.example"}, 401),
        ({"x-forwarded-for": "203.0.113.9"}, 403),
        ({"forwarded": "for=203.0.113.9"}, 403),
        ({"x-forwarded-proto": "https"}, 403),
        ({"via": "1.1 proxy"}, 403),
        ({"x-real-ip": "203.0.113.9"}, 403),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_without_keys_nobody_is_served_through_a_proxy_or_from_another_site(
    shared: Receiver, path: str, headers: dict[str, str], status: int
) -> None:
    answer = await shared.http.get(path, headers=headers)

    assert answer.status_code == status
    assert status == 200 or "REELBUS_API_KEYS" in answer.json()["detail"]


async def test_old_entries_of_the_audit_log_are_dropped(keyed: Receiver) -> None:
    now = 1_900_000_000.0
    for age in (rows.KEPT_SECONDS + 1, rows.KEPT_SECONDS - 1):
        await keyed.store.write(audit.record, AuditAction.SUBMITTED, actor="shop", now=now - age)
    assert await keyed.store.write(rows.prune, now=now, limit=50) == 1
    assert len(await keyed.store.read(rows.page, before=None, limit=10)) == 1


async def test_sighup_has_the_keys_read_again_and_ends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"shop:{SHOP}")
    seen = file.stat()
    port = free_port()
    env = {
        "REELBUS_API_KEYS_FILE": str(file),
        "REELBUS_PORT": str(port),
        "REELBUS_AMQP_URL": "amqp://guest:guest@127.0.0.1:9/",
    }
    command = await Command.start("receiver", env=env, log=tmp_path / "receiver.log")
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:

            async def answers() -> bool:
                with suppress(httpx.TransportError):
                    return (await http.get("/healthz")).is_success
                return False

            await eventually(answers, what="the receiver's start")
            assert (await http.get("/v1/videos", headers=bearer(SHOP))).status_code == 200
            # The same size and time: nothing but the signal says that it has changed.
            with file.open("r+") as same:
                same.write("shop:" + SHOP[::-1])
            os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
            command.process.send_signal(signal.SIGHUP)
            assert await seconds_until(http, SHOP[::-1], 200) < 5
            assert (await http.get("/v1/videos", headers=bearer(SHOP))).status_code == 401
            assert await command.stop() == 0
    finally:
        await command.kill()
