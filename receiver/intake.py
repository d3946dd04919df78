"""Take a request for a video in, whichever door it came through."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jobs import accept as acceptance
from jobs import routing
from jobs.accept import Accepted, KeyConflict, NewVideo
from process import crashpoints, metrics
from receiver.context import Context
from schemas import picture as pictures
from schemas import request as requests
from schemas.picture import PictureRejected
from schemas.problem import FieldFault, ProblemCode, Refusal
from schemas.request import ParsedRequest
from store.transaction import Topic
from store.videos import StoredPicture


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


async def accept(context: Context, read: Callable[[], Raw], sender: Sender, *, is_large: bool) -> Accepted:
    """Make a video of a request, durably. Raises `Refusal`, and `StoreUnavailable`.

    `read` gives the decoded request. With `is_large` it is called in a thread, and only one such request is
    in memory at a time.
    """
    if not is_large:
        return await _keep(context, _understood(context, read, sender), sender)
    async with context.large_body:
        new = await asyncio.to_thread(_understood, context, read, sender)
        return await _keep(context, new, sender)


def _understood(context: Context, read: Callable[[], Raw], sender: Sender) -> NewVideo:
    """Check everything that can be checked without the store. Raises `Refusal`."""
    settings = context.settings
    raw = read()
    request = requests.parse(
        raw.values,
        allow_private=settings.allow_private_image_hosts,
        picture=raw.picture,
        others=sender.faults,
    )
    picture = _stored_picture(request)
    fields = request.fields
    routing.refuse_unroutable(fields.provider, fields.motion, settings.enabled_providers)
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


def _stored_picture(request: ParsedRequest) -> StoredPicture | None:
    if request.picture is None:
        return None
    try:
        found = pictures.inspect(request.picture)
    except PictureRejected as rejection:
        raise Refusal(ProblemCode.IMAGE_REJECTED, f"the picture {rejection}") from None
    return StoredPicture(found.content_type, request.picture)


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
