"""Videos are stopped over HTTP, and what providers answer beyond their pages is shown there."""

from jobs import assignment, submission_claims, submit
from jobs.policy import Policy
from schemas.names import Provider
from store import answer_shapes, attempts
from store.answer_shapes import AnswerShape
from store.transaction import Tx
from tests.support.receiver import Receiver

NOW = 1_800_000_000.0
SHAPE = AnswerShape(Provider("iacrea"), "s1", 200, "text/plain", '{"status": "PAUSED"}', "working", "1", NOW, NOW, 2)


def _send(tx: Tx, video_id: str) -> None:
    assignment.route(tx, Policy(), now=NOW)
    submission_claims.claim(tx, Policy(), Provider("iacrea"), owner="generator", room=1, now=NOW)
    [attempt] = attempts.of_videos(tx, [video_id])[video_id]
    assert submit.send(tx, attempt.id, owner="generator", now=NOW)


async def test_what_was_never_sent_is_stopped_at_once_and_once(service: Receiver) -> None:
    video_id = await service.make(provider="iacrea")
    for _ in range(2):
        answer = await service.http.post(f"/v1/videos/{video_id}/cancel")
        assert answer.status_code == 200
        told = answer.json()
        assert (told["outcome"], told["refund"]["status"], told["status"]) == ("done", "not_charged", "failed")
    video = (await service.http.get(f"/v1/videos/{video_id}")).json()
    assert (video["status"], video["error"]["code"]) == ("failed", "cancelled")
    entries = (await service.http.get("/v1/audit")).json()["items"]
    assert [entry["action"] for entry in entries].count("cancelled") == 1


async def test_a_provider_that_cannot_be_asked_is_refused_before_it_misleads(service: Receiver) -> None:
    video_id = await service.make(provider="iacrea")
    await service.store.write(_send, video_id)
    answer = await service.http.post(f"/v1/videos/{video_id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "cancel_unsupported")
    video = (await service.http.get(f"/v1/videos/{video_id}")).json()
    assert (video["status"], video["cancellation"]) == ("submitting", None)


async def test_there_is_nothing_to_stop_of_an_unknown_video(service: Receiver) -> None:
    video_id = await service.make()
    assert (await service.http.post(f"/v1/videos/{video_id[:-4]}0000/cancel")).status_code == 404


async def test_undocumented_answers_are_shown_redacted(service: Receiver) -> None:
    assert (await service.http.get("/v1/drift")).json() == {"items": []}
    await service.store.write(answer_shapes.add, SHAPE)
    [shown] = (await service.http.get("/v1/drift")).json()["items"]
    assert (shown["body"], shown["seen"], shown["read_as"]) == ({"status": "PAUSED"}, 2, "working")
