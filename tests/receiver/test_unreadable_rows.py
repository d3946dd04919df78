"""A row that this release cannot read harms nobody who asks for others, and is said to be there."""

import pytest

from jobs import assignment
from jobs.policy import Policy
from store.transaction import Tx
from tests.support.receiver import Receiver

SPOILT = {
    "video": "UPDATE videos SET motion = 'orbit' WHERE id = ?",
    "attempt": "UPDATE attempts SET detected_by = 'telepathy' WHERE video_id = ?",
}
"""What a newer release may have written."""


def spoil(tx: Tx, sql: str, video_id: str) -> None:
    tx.execute(sql, (video_id,))


@pytest.mark.parametrize("row", SPOILT)
async def test_a_list_goes_on_without_it_page_by_page(service: Receiver, row: str) -> None:
    ids = [await service.make() for _ in range(6)]
    await service.store.write(assignment.route, Policy(), now=0.0)
    for place in (0, 3, 5):
        await service.store.write(spoil, SPOILT[row], ids[place])
    listed, cursor = [], None
    for _ in range(3):
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = await service.http.get("/v1/videos", params=query)
        assert answer.status_code == 200, answer.text
        listed += [video["id"] for video in answer.json()["items"]]
        cursor = answer.json()["next_cursor"]
    assert cursor is None
    assert listed == [ids[4], ids[2], ids[1]]


@pytest.mark.parametrize("row", SPOILT)
@pytest.mark.parametrize("path", ["", "/timeline"])
async def test_who_asks_for_it_is_told_why_it_is_not_shown(service: Receiver, row: str, path: str) -> None:
    video_id = await service.make()
    await service.store.write(assignment.route, Policy(), now=0.0)
    await service.store.write(spoil, SPOILT[row], video_id)
    answer = await service.http.get(f"/v1/videos/{video_id}{path}")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert "cannot read this video" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0
