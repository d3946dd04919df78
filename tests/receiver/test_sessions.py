"""A session of the console opens what its API key opens, for no other site's page, and ends with the key."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from intake.context import Limits
from schemas.scopes import Scope
from store import api_keys
from tests.receiver.test_api_keys import MADE, SHOP, bearer, seconds_until, stored
from tests.support.receiver import URL_REQUEST, Receiver, serving
from tests.support.waiting import eventually

SESSION = "/console/session"
COOKIE = "reelbus-session"
OWN = {"sec-fetch-site": "same-origin"}


@pytest_asyncio.fixture
async def keyed(tmp_path: Path) -> AsyncIterator[Receiver]:
    async with serving(tmp_path, api_keys=f"shop:{SHOP}") as service:
        del service.http.headers["authorization"]
        yield service


async def log_in(service: Receiver, key: str = SHOP, **headers: str) -> httpx.Response:
    answer = await service.http.post(SESSION, headers={**OWN, **bearer(key), **headers})
    assert answer.status_code == 200, answer.text
    return answer


def attributes(answer: httpx.Response) -> set[str]:
    return {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}


async def test_a_key_is_exchanged_for_a_cookie_that_opens_what_the_key_opens(keyed: Receiver) -> None:
    assert (await keyed.http.get(SESSION)).status_code == 401
    begun = await log_in(keyed)

    assert begun.json() == {
        "keyed": True,
        "caller": "shop",
        "scopes": sorted(Scope),
        "key_expires_at": None,
    }
    assert begun.headers["cache-control"] == "no-store"
    made = await keyed.http.post("/v1/videos", json=URL_REQUEST, headers=OWN)
    assert made.status_code == 202
    assert (await keyed.http.get("/v1/settings")).status_code == 200
    timeline = (await keyed.http.get(f"/v1/videos/{made.json()['id']}/timeline")).json()
    assert timeline["items"][0]["detail"] == "from shop"


async def test_no_script_no_other_site_and_no_other_hour_has_the_cookie(keyed: Receiver) -> None:
    plain = attributes(await log_in(keyed))
    encrypted = attributes(await log_in(keyed, origin="https://console.example"))

    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= plain
    assert "secure" not in plain
    assert "secure" in encrypted
    assert SHOP not in keyed.http.cookies[COOKIE]


async def test_the_cookie_is_signed(keyed: Receiver) -> None:
    await log_in(keyed)
    genuine = keyed.http.cookies[COOKIE]
    forged = keyed.context.signer.webhook_token("f" * 32)

    for token in (genuine[:-1] + ("A" if genuine[-1] != "A" else "B"), "B" + genuine[1:], "", "x" * 75, forged):
        async with httpx.AsyncClient(base_url=keyed.context.settings.local_url, trust_env=False) as http:
            answer = await http.get("/v1/videos", headers={"cookie": f"other={{}}; {COOKIE}={token}"})
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), token
            answer = await http.get("/v1/videos", headers={"cookie": f"other={{}}; {COOKIE}={genuine}"})
            assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://[evil"},
        {},
    ],
)
async def test_no_other_page_can_use_the_session(keyed: Receiver, headers: dict[str, str]) -> None:
    await log_in(keyed)

    for method, path in (("POST", "/v1/videos"), ("POST", "/v1/providers/iacrea/pause"), ("DELETE", SESSION)):
        answer = await keyed.http.request(method, path, headers=headers, json=URL_REQUEST)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    reading = await keyed.http.get("/v1/videos", headers=headers)
    assert reading.status_code == (200 if headers in ({}, {"sec-fetch-site": "none"}) else 403)


async def test_a_page_of_ours_is_known_by_its_origin_where_the_browser_tells_no_more(keyed: Receiver) -> None:
    await log_in(keyed)

    own = {"origin": keyed.context.settings.local_url}
    assert (await keyed.http.post("/v1/providers/iacrea/pause", headers=own)).status_code == 200
    proxied = {"origin": "https://reelbus.example", "host": "Reelbus.Example"}
    assert (await keyed.http.post("/v1/providers/iacrea/resume", headers=proxied)).status_code == 200


async def test_a_session_may_do_what_the_scopes_of_its_key_say(keyed: Receiver) -> None:
    await keyed.store.write(api_keys.add, stored(scopes=frozenset({Scope.READ})))
    await seconds_until(keyed.http, MADE, 200)
    begun = await log_in(keyed, MADE)

    assert begun.json()["scopes"] == ["read"]
    assert (await keyed.http.get("/v1/videos")).status_code == 200
    assert (await keyed.http.get("/v1/audit")).status_code == 403
    assert (await keyed.http.post("/v1/videos", json=URL_REQUEST, headers=OWN)).status_code == 403


async def test_a_session_ends_when_its_key_is_disabled(keyed: Receiver) -> None:
    await keyed.store.write(api_keys.add, stored())
    await seconds_until(keyed.http, MADE, 200)
    await log_in(keyed, MADE)
    assert (await keyed.http.get("/v1/videos")).status_code == 200

    await keyed.store.write(api_keys.disable, "made", now=time.time())

    async def refused() -> bool:
        return (await keyed.http.get("/v1/videos")).status_code == 401

    await eventually(refused)


async def test_a_session_ends_when_its_key_expires(keyed: Receiver) -> None:
    expires_at = time.time() + 600
    await keyed.store.write(api_keys.add, stored(expires_at=expires_at))
    await seconds_until(keyed.http, MADE, 200)
    begun = await log_in(keyed, MADE)
    [age] = [part.partition("=")[2] for part in attributes(begun) if part.startswith("max-age")]
    assert 0 < int(age) <= 600
    assert (await keyed.http.get("/v1/videos")).status_code == 200

    keyed.context.now = lambda: expires_at + 1
    assert (await keyed.http.get("/v1/videos")).status_code == 401


async def test_a_session_ends_after_twelve_hours_and_begins_no_other(keyed: Receiver) -> None:
    await log_in(keyed)
    assert (await keyed.http.post(SESSION, headers=OWN)).status_code == 401
    assert (await keyed.http.get("/v1/videos")).status_code == 200

    later = time.time() + 12 * 3600
    keyed.context.now = lambda: later
    assert (await keyed.http.get("/v1/videos")).status_code == 401


async def test_a_stream_of_events_ends_with_its_session(tmp_path: Path) -> None:
    async with serving(tmp_path, api_keys=f"shop:{SHOP}", limits=Limits(event_comment=0.1)) as keyed:
        del keyed.http.headers["authorization"]
        await log_in(keyed)
        async with keyed.http.stream("GET", "/v1/events") as stream:
            assert stream.status_code == 200
            pieces = stream.aiter_raw()
            await anext(pieces)
            later = time.time() + 12 * 3600
            keyed.context.now = lambda: later
            async for _ in pieces:
                pass


async def test_logging_out_has_the_browser_forget(keyed: Receiver) -> None:
    await log_in(keyed)

    assert (await keyed.http.delete(SESSION, headers=OWN)).status_code == 204
    assert COOKIE not in keyed.http.cookies
    assert (await keyed.http.get("/v1/videos")).status_code == 401


async def test_a_wrong_key_begins_no_session_and_is_counted(keyed: Receiver) -> None:
    answer = await keyed.http.post(SESSION, headers={**OWN, **bearer("wrong")})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers

    async def noted() -> bool:
        log = (await keyed.http.get("/v1/audit", headers=bearer(SHOP))).json()
        return any(entry["action"] == "key_refused" for entry in log["items"])

    await eventually(noted)


async def test_without_keys_everybody_on_this_machine_may_everything_and_has_no_session(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        told = await service.http.get(SESSION)
        assert told.json()["keyed"] is False
        assert told.json()["scopes"] == sorted(Scope)
        assert "set-cookie" not in (await service.http.post(SESSION, headers=OWN)).headers
        elsewhere = await service.http.post(SESSION, headers={"sec-fetch-site": "cross-site"})
        assert elsewhere.status_code == 401
