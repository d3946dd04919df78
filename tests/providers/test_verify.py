"""A provider is verified by something free; what is wrong is named with its mend; no person is shown."""

from collections.abc import Callable

import pytest

from providers.base import VerificationFailed
from providers.homedesigns.client import HomeDesigns
from providers.iacrea.client import Iacrea
from tests.providers.conftest import MakeClient, MakePeer
from tests.providers.orders import HASTY, KEY, USER
from tests.providers.peer import Act, body_of, hangs, header, says

ACCOUNT = b"""{"success": true, "Data": [
  {"customer": {"name": "Jane Roe", "Email": "jane@roe.example"}},
  {"Subscription": {"Plan Name": "Pro", "Total Credit": 500, "Used Credit": "120",
  "Left Credit": 380,},}, ]}"""


async def test_iacrea_tells_its_credits(peer: MakePeer, iacrea: Callable[..., Iacrea]) -> None:
    server = await peer(says(200, {"remaining_videos": 9, "email": "jane@roe.example"}))
    assert await iacrea(server.url).verify() == "IACrea knows the account (remaining videos: 9)"
    assert server.requests[0].startswith(b"POST /api/account/credit HTTP/1.1\r\n")
    assert body_of(server.requests[0]) == f'{{"user_id": "{USER}"}}'.encode()


async def test_homedesigns_tells_its_credits_and_not_whose_they_are(
    peer: MakePeer, homedesigns: Callable[..., HomeDesigns]
) -> None:
    server = await peer(says(200, ACCOUNT))
    told = await homedesigns(server.url).verify()
    assert told == "HomeDesigns knows the account (total credit: 500, used credit: 120, left credit: 380)"
    assert server.requests[0].startswith(b"GET /api/v2/user_info HTTP/1.1\r\n")
    assert header(server.requests[0], "authorization") == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("act", "mend"),
    [
        (says(401, {"message": f"bad key {KEY}"}), "REELBUS_"), (says(403, b"<html>"), "REELBUS_"),
        (says(308, b"", location="http://127.0.0.1:9/"), "_URL"), (says(500, b""), "_URL"),
        (says(404, b""), "_URL"),
        (says(200, b"<html>"), "_URL"), (says(200, {"success": False, "message": "no"}), "no"),
        (hangs(), "_URL"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named_with_its_mend(peer: MakePeer, client: MakeClient, act: Act, mend: str) -> None:
    with pytest.raises(VerificationFailed, match=mend) as caught:
        await client((await peer(act)).url, HASTY).verify()
    assert KEY not in str(caught.value)


async def test_a_provider_that_is_not_there_is_down(client: MakeClient, closed_port: int) -> None:
    with pytest.raises(VerificationFailed, match="_URL"):
        await client(f"http://127.0.0.1:{closed_port}").verify()
