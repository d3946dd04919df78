"""Videos in the store as the roles would have left them."""

from uuid_utils.compat import uuid7

from jobs import settle
from jobs.assignment import route
from jobs.policy import Policy
from jobs.refunds import NOT_CHARGED
from jobs.settle import AttemptFailed
from schemas.names import ErrorCode
from schemas.video import Refund
from store import attempts, outbox, videos
from store.transaction import Tx
from tests.support.receiver import Receiver


async def many(service: Receiver, number: int) -> list[str]:
    """Make so many videos of two hours ago; their ids, newest first."""
    model = await service.make()

    def add(tx: Tx) -> list[str]:
        row = videos.get(tx, model)
        assert row is not None
        ids = [str(uuid7()) for _ in range(number - 1)]
        long_ago = row.created_at - 7200
        for index, video_id in enumerate(ids):
            videos.add(tx, row._replace(id=video_id, metadata={"order": str(index)}, created_at=long_ago))
        return ids

    return sorted([model, *await service.store.write(add)], reverse=True)


async def failed(service: Receiver, refund: Refund = NOT_CHARGED, **fields: object) -> str:
    """Make a video that its provider failed."""
    video_id = await service.make(provider="iacrea", **fields)
    now = service.context.now()

    def fail(tx: Tx) -> None:
        route(tx, Policy(), now=now)
        [attempt] = attempts.of_videos(tx, [video_id])[video_id]
        failing = AttemptFailed(ErrorCode.PROVIDER_UNAVAILABLE, "it was away", refund)
        assert settle.fail(tx, Policy(), attempt, failing, now=now)

    await service.store.write(fail)
    return video_id


async def publish_all(service: Receiver, video_id: str) -> None:
    """Note that the broker has confirmed all of a video's events."""

    def publish(tx: Tx) -> None:
        events = outbox.of_video(tx, video_id)
        outbox.mark_published(tx, [event.seq for event in events], now=service.context.now())

    await service.store.write(publish)
