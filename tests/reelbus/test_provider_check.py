"""`reelbus provider-check` asks a provider what costs nothing, and pays only where it is told to."""

import os
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE

import pytest

from sandbox.kit.serving import serving, stand_in_for
from sandbox.kit.standin import KitStandIn


async def checked(stand_in: KitStandIn, *arguments: str, **changes: str) -> tuple[int, str]:
    """Run the command against a stand-in; give its exit status and what it printed."""
    name = stand_in.provider.upper()
    given = {f"REELBUS_{name}_{key.upper()}": value for key, value in stand_in.credentials.items()}
    given |= {f"REELBUS_{name}_URL": stand_in.base_url, **changes}
    if stand_in.provider == "fal":
        given |= {
            "REELBUS_FAL_PLATFORM_URL": stand_in.base_url,
            "REELBUS_FAL_KEYS_URL": f"{stand_in.base_url}/.well-known/jwks.json",
        }
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "reelbus", "provider-check", stand_in.provider, *arguments),
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, **given},
    )
    out, errors = await process.communicate()
    return process.returncode or 0, out.decode() + errors.decode()


@pytest.mark.parametrize("provider", ["fal", "kling", "replicate", "runway"])
async def test_the_harmless_half_passes_and_submits_nothing(provider: str) -> None:
    async with serving(stand_in_for(provider)) as stand_in:
        status, printed = await checked(stand_in, "--live")
        assert status == 0, printed
        assert "fail" not in printed
        assert stand_in.jobs == {}
        assert not any(secret in printed for secret in stand_in.credentials.values())


async def test_a_wrong_key_fails_with_its_setting() -> None:
    async with serving(stand_in_for("kling")) as stand_in:
        status, printed = await checked(stand_in, "--live", REELBUS_KLING_API_KEY="wrong-key-wrong-key")
        assert status == 1
        assert "REELBUS_KLING_API_KEY" in printed


async def test_a_video_is_paid_only_where_that_is_asked_for() -> None:
    async with serving(stand_in_for("runway")) as stand_in:
        status, printed = await checked(
            stand_in, "--live", "--spend", "1", "--image-url", "https://pictures.example/room.png"
        )
        assert status == 0, printed
        assert len(stand_in.jobs) == 1
        assert (await checked(stand_in))[0] == 2
