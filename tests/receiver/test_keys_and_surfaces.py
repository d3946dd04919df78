"""Each surface serves what it should and nothing else; where keys are set, nothing under /v1 goes without one."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from intake.context import Limits
from process.settings import Settings, WrongSettings
from receiver.run import refuse_exposure
from tests.support.receiver import URL_REQUEST, Receiver, serving

PUBLIC = ["/webhooks/iacrea/{token}", "/media/{media}", "/healthz", "/readyz"]
PRIVATE = [
    "/v1/videos",
    "/v1/credits",
    "/v1/status",
    "/metrics",
    "/openapi.json",
    "/llms.txt",
    "/asyncapi.json",
    "/schemas/video.v1.json",
    "/docs",
    "/docs/events",
    "/docs/problems",
    "/docs/assets/console.js",
    "/console",
]
HEALTH = ["/healthz", "/readyz"]


async def _serves(service: Receiver, address: str) -> bool:
    signer = service.context.signer
    filled = address.format(
        token=signer.webhook_token("f" * 32),
        media=signer.media_token("01a1fb80-55bb-754f-a0b3-000000000000", expires_at=4e9),
    )
    answer = await service.http.get(filled)
    assert answer.status_code in {200, 404}
    nothing = (await service.http.get("/no/such/address")).content
    return answer.status_code == 200 or answer.content != nothing or "/media/" in address


async def test_the_public_surface_serves_webhooks_pictures_and_health_alone(tmp_path: Path) -> None:
    async with serving(tmp_path, surface="public") as service:
        assert [address for address in PUBLIC + PRIVATE if await _serves(service, address)] == PUBLIC
        assert (await service.http.post("/v1/videos", json=URL_REQUEST)).status_code == 404


async def test_the_private_surface_serves_all_the_rest(tmp_path: Path) -> None:
    async with serving(tmp_path, surface="private") as service:
        served = [address for address in PRIVATE + HEALTH if await _serves(service, address)]
        token = service.context.signer.webhook_token("f" * 32)

        assert served == PRIVATE + HEALTH
        assert (await service.http.post(f"/webhooks/iacrea/{token}")).status_code == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_all_surfaces_may_be_one(shared: Receiver) -> None:
    assert [address for address in PUBLIC + PRIVATE if await _serves(shared, address)] == PUBLIC + PRIVATE


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def keyed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Receiver]:
    async with serving(
        tmp_path_factory.mktemp("keyed"), api_keys="shop:shop-key-of-tests,office:ключ-длинный-очень"
    ) as service:
        del service.http.headers["authorization"]
        yield service


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer wrong",
        "Bearer shop",
        "Bearer shop:shop-key-of-tests",
        "Bearer shop-key-of-test",
        "Bearer shop-key-of-testss",
        "Bearer SHOP-KEY-OF-TESTS",
        "Basic shop-key-of-tests",
        "shop-key-of-tests",
        b"Bearer \xff\xfe",
    ],
)
async def test_without_a_valid_key_nothing_under_v1_answers(keyed: Receiver, header: str | bytes | None) -> None:
    headers = {} if header is None else {"authorization": header}
    for method, address in [
        ("GET", "/v1/videos"),
        ("POST", "/v1/videos"),
        ("DELETE", "/v1/videos"),
        ("GET", "/v1/videos/x"),
        ("GET", "/v1/events"),
        ("GET", "/v1/credits"),
        ("GET", "/v1/status"),
        ("GET", "/v1/no/such/address"),
        ("GET", "/v1"),
    ]:
        answer = await keyed.http.request(method, address, headers=headers)  # type: ignore[arg-type]  # bytes go too
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), address
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "header", ["Bearer shop-key-of-tests", "bearer shop-key-of-tests", "Bearer  shop-key-of-tests"]
)
async def test_a_valid_key_opens(keyed: Receiver, header: str) -> None:
    assert (await keyed.http.get("/v1/videos", headers={"authorization": header})).status_code == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_the_key_is_checked_before_the_body_is_read(keyed: Receiver) -> None:
    answer = await keyed.http.post("/v1/videos", content=b"{", headers={"content-length": "1"})

    assert answer.status_code == 401


@pytest.mark.asyncio(loop_scope="module")
async def test_pages_and_health_need_no_key(keyed: Receiver) -> None:
    for address in ("/console", "/docs", "/openapi.json", "/healthz", "/metrics"):
        assert (await keyed.http.get(address)).status_code == 200


async def test_callers_are_named_not_parted(tmp_path: Path) -> None:
    async with serving(tmp_path, api_keys="shop:shop-key-of-tests,office:office-key-of-tests") as service:
        video_id = await service.make()
        headers = {"authorization": "Bearer office-key-of-tests"}

        assert (await service.http.get(f"/v1/videos/{video_id}", headers=headers)).status_code == 200
        timeline = (await service.http.get(f"/v1/videos/{video_id}/timeline")).json()
        assert timeline["items"][0]["detail"] == "from shop"


async def test_a_key_has_a_rate_of_its_own(tmp_path: Path) -> None:
    limits = Limits(key_requests=5, key_window=60)
    async with serving(
        tmp_path, api_keys="shop:shop-key-of-tests,office:office-key-of-tests", limits=limits
    ) as service:
        answers = [await service.http.get("/v1/videos") for _ in range(7)]
        other = await service.http.get("/v1/videos", headers={"authorization": "Bearer office-key-of-tests"})

    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert answers[0].headers["ratelimit-policy"] == '"key";q=5;w=60'
    assert answers[0].headers["ratelimit"].startswith('"key";r=4;t=')
    assert answers[-1].json()["code"] == "rate_limited"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert other.status_code == 200


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("host", ["evil.example", "10.0.0.1", "localhost.evil.example", "", "[::2]"])
async def test_without_keys_only_loopback_names_are_served(shared: Receiver, host: str) -> None:
    answer = await shared.http.get("/v1/videos", headers={"host": host})

    assert answer.status_code == 401
    assert (await shared.http.get("/healthz", headers={"host": host})).status_code == 200


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1:99", "[::1]", "[::1]:8080", "127.9.9.9"])
async def test_every_name_of_this_machine_is_served(shared: Receiver, host: str) -> None:
    assert (await shared.http.get("/v1/videos", headers={"host": host})).status_code == 200


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_without_keys_no_other_web_site_is_served(shared: Receiver, site: str) -> None:
    answer = await shared.http.post("/v1/videos", json=URL_REQUEST, headers={"sec-fetch-site": site})

    assert answer.status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])  # noqa: S104 - refused
def test_without_keys_it_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(WrongSettings, match="REELBUS_API_KEYS"):
        refuse_exposure(Settings(host=host))
    refuse_exposure(Settings.model_validate({"host": host, "api_keys": "shop:shop-key-of-tests"}))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost", "127.0.0.2"])
def test_on_loopback_it_needs_no_keys(host: str) -> None:
    refuse_exposure(Settings(host=host))


@pytest.mark.asyncio(loop_scope="module")
async def test_the_answer_never_repeats_the_host(shared: Receiver) -> None:
    for target in ("/v1/videos/", "//evil.example/", "/docs/", "/console/"):
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"http://127.0.0.1:{shared.port}{target}", headers={"host": "localhost.evil"})
        assert "evil" not in answer.text + str(answer.headers)
        assert answer.status_code in {401, 404}
