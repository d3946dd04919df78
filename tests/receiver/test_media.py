"""An uploaded picture is handed to whoever holds its address, as what it is and nothing else, until it expires."""

from pathlib import Path

import pytest

from store import uploads
from tests.receiver.serving import Service, picture, serving


async def _uploaded(service: Service, data: bytes) -> str:
    answer = await service.http.post("/v1/videos", data={"motion": "auto"}, files={"image": data})
    address: str = answer.json()["input_image"]
    assert address.startswith(f"{service.context.settings.base_url}/media/")
    return address


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("kind", "suffix"), [("PNG", "png"), ("JPEG", "jpg")])
async def test_a_picture_is_given_as_it_came(shared: Service, kind: str, suffix: str) -> None:
    data = picture(kind=kind)

    answer = await shared.http.get(await _uploaded(shared, data))

    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["content-type"] == f"image/{kind.lower()}"
    assert answer.headers["content-disposition"] == f'inline; filename="picture.{suffix}"'


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_can_mistake_it_for_a_page(shared: Service) -> None:
    polyglot = picture(kind="JPEG") + b"<script>alert(1)</script>"

    headers = (await shared.http.get(await _uploaded(shared, polyglot))).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.asyncio(loop_scope="module")
async def test_its_head_can_be_asked_for_alone(shared: Service) -> None:
    answer = await shared.http.head(await _uploaded(shared, picture()))

    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(picture())


async def test_its_address_expires(tmp_path: Path) -> None:
    async with serving(tmp_path, media_ttl=60) as service:
        address = await _uploaded(service, picture())
        real = service.context.now
        service.context.now = lambda: real() + 61

        answer = await service.http.get(address)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("token", ["", "x", "%00", "A" * 70, "A" * 5_000])
async def test_other_tokens_open_nothing(shared: Service, token: str) -> None:
    assert (await shared.http.get(f"/media/{token}")).status_code == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_a_webhook_token_opens_no_picture(shared: Service) -> None:
    token = shared.context.signer.webhook_token("0" * 32)

    assert (await shared.http.get(f"/media/{token}")).status_code == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_a_picture_that_was_dropped_is_not_found(shared: Service) -> None:
    video_id = await shared.make()

    assert (await shared.http.get(shared.context.addresses.picture(video_id))).status_code == 404

    upload = await shared.store.pictures.keep("image/png", b"bytes")
    await shared.store.write(uploads.add, video_id, upload)
    assert (await shared.http.get(shared.context.addresses.picture(video_id))).content == b"bytes"


async def test_the_public_base_is_what_the_settings_say(tmp_path: Path) -> None:
    async with serving(tmp_path, public_url="https://videos.example.com", api_keys="shop:shop-key-of-tests") as service:
        answer = await service.http.post(
            "/v1/videos",
            data={"motion": "auto"},
            files={"image": picture()},
            headers={"x-forwarded-host": "evil.example", "x-forwarded-proto": "http"},
        )

    assert answer.json()["input_image"].startswith("https://videos.example.com/media/")
