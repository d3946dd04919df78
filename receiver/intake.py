"""Take a request for a video in, whichever door it came through."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, Protocol, TypeVar

from jobs import accept as acceptance
from jobs import routing
from jobs.accept import Accepted, KeyConflict, NewVideo
from process import crashpoints, metrics
from process.inspector import InspectorUnavailable
from receiver.context import SMALL_BODY, Context
from schemas import request as requests
from schemas.picture import PictureRejected
from schemas.problem import FieldFault, ProblemCode, Refusal
from schemas.request import ParsedRequest
from store.transaction import Topic
from store.videos import StoredPicture

P = ParamSpec("P")
T = TypeVar("T")


class _Run(Protocol):
    """Runs a piece of work: here, or where it holds nobody up."""

    def __call__(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Give what the work gives."""


@dataclass(frozen=True, slots=True)
class Raw:
    """What came: the decoded values of the fields, and the bytes of a file part if there was one."""

    values: object
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent it, through which door, under which idempotency key."""

    caller: str
    door: str
    idempotency_key: str | None
    faults: Sequence[FieldFault] = ()


async def accept(context: Context, read: Callable[[], Raw], sender: Sender, *, size: int) -> Accepted:
    """Make a video of a request of so many bytes, durably. Raises `Refusal`, and `StoreUnavailable`.

    `read` gives the decoded request. That of a large one is called in a thread, and only few of them are in
    memory at a time.
    """
    if size <= SMALL_BODY:
        return await _accept(context, read, sender, _here)
    async with context.room_for(size):
        return await _accept(context, read, sender, asyncio.to_thread)


async def _accept(context: Context, read: Callable[[], Raw], sender: Sender, run: _Run) -> Accepted:
    request = await run(_parsed, context, read, sender)
    picture = None if request.picture is None else await _inspected(context, request.picture)
    return await _keep(context, await run(_new_video, context, request, picture, sender), sender)


async def _here(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    return work(*args, **kwargs)


def _parsed(context: Context, read: Callable[[], Raw], sender: Sender) -> ParsedRequest:
    raw = read()
    allow_private = context.settings.allow_private_image_hosts
    return requests.parse(raw.values, allow_private=allow_private, picture=raw.picture, others=sender.faults)


async def _inspected(context: Context, picture: bytes) -> StoredPicture:
    try:
        found = await context.inspectors.inspect(picture)
    except PictureRejected as rejection:
        raise Refusal(ProblemCode.IMAGE_REJECTED, f"the picture {rejection}") from None
    except InspectorUnavailable as error:
        raise Refusal(ProblemCode.OVERLOADED, f"{error}; try again", retry_after=1) from None
    return StoredPicture(found.content_type, picture)


def _new_video(context: Context, request: ParsedRequest, picture: StoredPicture | None, sender: Sender) -> NewVideo:
    fields = request.fields
    routing.refuse_unroutable(fields.provider, fields.motion, context.settings.enabled_providers)
    return NewVideo(
        motion=fields.motion,
        orientation=fields.orientation,
        prompt=fields.prompt,
        choice=fields.provider,
        fallback=fields.may_fall_back,
        metadata=fields.metadata,
        image_url=fields.image_url,
        picture=picture,
        caller=sender.caller,
        idempotency_key=sender.idempotency_key,
        fingerprint="" if sender.idempotency_key is None else requests.fingerprint(request),
    )


async def _keep(context: Context, new: NewVideo, sender: Sender) -> Accepted:
    write = context.write_brief if new.picture is None else context.write
    context.store.wake(Topic.ACCEPTED)
    outcome = await write(acceptance.accept, new, context.addresses.picture, now=context.now())
    if isinstance(outcome, KeyConflict):
        raise Refusal(
            ProblemCode.IDEMPOTENCY_CONFLICT,
            "the idempotency key was used for a request with other fields or another picture; use a new key",
        )
    if outcome.created:
        await crashpoints.reach("accepted")
        metrics.videos_accepted.labels(sender.door, sender.caller).inc()
    return outcome
