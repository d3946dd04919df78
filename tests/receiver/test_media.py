"""An uploaded picture is handed to whoever holds its address, as what it is and nothing else, until it expires."""

import asyncio
from pathlib import Path

import pytest

from store import uploads
from store.pictures import Pictures
from tests.support.pictures import picture
from tests.support.receiver import Receiver, serving


async def _uploaded(service: Receiver, data: bytes) -> str:
    answer = await service.http.post("/v1/videos", data={"motion": "auto"}, files={"image": data})
    address: str = answer.json()["input_image"]
    assert address.startswith(f"{service.context.settings.base_url}/media/")
    return address


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("kind", "suffix"), [("PNG", "png"), ("JPEG", "jpg")])
async def test_a_picture_is_given_as_it_came(shared: Receiver, kind: str, suffix: str) -> None:
    data = picture(kind=kind)

    answer = await shared.http.get(await _uploaded(shared, data))

    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["content-type"] == f"image/{kind.lower()}"
    assert answer.headers["content-disposition"] == f'inline; filename="picture.{suffix}"'


@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_can_mistake_it_for_a_page(shared: Receiver) -> None:
    polyglot = picture(kind="JPEG") + b"<script>alert(1)</script>"

    headers = (await shared.http.get(await _uploaded(shared, polyglot))).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.asyncio(loop_scope="module")
async def test_its_head_can_be_asked_for_alone(shared: Receiver) -> None:
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
async def test_other_tokens_open_nothing(shared: Receiver, token: str) -> None:
    assert (await shared.http.get(f"/media/{token}")).status_code == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_a_webhook_token_opens_no_picture(shared: Receiver) -> None:
    token = shared.context.signer.webhook_token("f" * 32)

    assert (await shared.http.get(f"/media/{token}")).status_code == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_a_picture_that_was_dropped_is_not_found(shared: Receiver) -> None:
    video_id = await shared.make()

    assert (await shared.http.get(shared.context.addresses.picture(video_id))).status_code == 404

    upload = await shared.store.pictures.keep("image/png", b"bytes")
    await shared.store.write(uploads.add, video_id, upload)
    assert (await shared.http.get(shared.context.addresses.picture(video_id))).content == b"bytes"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_picture_whose_file_is_missing_is_not_found(shared: Receiver) -> None:
    address = await _uploaded(shared, picture())
    async with shared.store.pictures.opened(_video_of(shared, address)) as found:
        assert found is not None
        await shared.store.pictures.remove([found.upload.name or ""])

    assert (await shared.http.get(address)).status_code == 404


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("again", "status"), [(picture(), 200), (picture(513), 409)])
async def test_a_request_that_makes_no_video_leaves_no_file(tmp_path: Path, again: bytes, status: int) -> None:
    async with serving(tmp_path) as service:
        for data, expected in ((picture(), 202), (again, status)):
            answer = await service.http.post(
                "/v1/videos", data={"motion": "auto"}, files={"image": data}, headers={"Idempotency-Key": "k"}
            )
            assert answer.status_code == expected
        kept = service.store.pictures
        assert isinstance(kept, Pictures)
        names = await asyncio.to_thread(kept._names)

    assert len(names) == 1


def _video_of(service: Receiver, address: str) -> str:
    video_id = service.context.signer.video_of(address.rsplit("/", 1)[1], now=service.context.now())
    assert video_id is not None
    return video_id


async def test_the_public_base_is_what_the_settings_say(tmp_path: Path) -> None:
    async with serving(tmp_path, public_url="https://videos.example.com", api_keys="shop:shop-key-of-tests") as service:
        answer = await service.http.post(
            "/v1/videos",
            data={"motion": "auto"},
            files={"image": picture()},
            headers={"x-forwarded-host": "evil.example", "x-forwarded-proto": "http"},
        )

    assert answer.json()["input_image"].startswith("https://videos.example.com/media/")
