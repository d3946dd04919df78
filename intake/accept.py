"""Take a request for a video in, whichever door it came through."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ParamSpec, Protocol, TypeVar

import structlog

from intake import parsing
from intake.context import SMALL_BODY, Context
from intake.parsing import ParsedRequest
from jobs import accept as acceptance
from jobs import routing, spending
from jobs.accept import AcceptedVideo, BudgetExhausted, KeyConflict, NewVideo
from process import failpoints, metrics, tracing
from process.inspector import InspectorUnavailable
from process.tracing import SpanKind
from schemas.names import Provider
from schemas.picture import Picture, PictureRejected
from schemas.problem import FieldFault, ProblemCode, Refusal
from schemas.trace import NO_TRACE, Trace
from store.database import StoreUnavailable
from store.transaction import Signal

_log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class _Run(Protocol):
    """Runs a piece of work: here, or where it holds nobody up."""

    def __call__(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        """Give what the work gives."""


COMMANDS_QUEUE = "video.commands.submit"


@dataclass(frozen=True, slots=True)
class RawRequest:
    """What came: the decoded values of the fields, and the bytes of a file part if there was one."""

    values: object
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent it, through which door, under which idempotency key; `budget` is in videos a day, None has no limit."""

    caller: str
    transport: str
    idempotency_key: str | None
    faults: Sequence[FieldFault] = ()
    budget: int | None = None
    trace: Trace = NO_TRACE


async def accept(context: Context, read: Callable[[], RawRequest], origin: Origin, *, size: int) -> AcceptedVideo:
    """Make a video of a request of so many bytes, durably. Raises `Refusal`, and `StoreUnavailable`.

    `read` gives the decoded request. That of a large one is called in a thread, and only few of them are in
    memory at a time.
    """
    if size <= SMALL_BODY:
        return await _accept(context, read, origin, _here)
    async with context.room_for(size):
        return await _accept(context, read, origin, asyncio.to_thread)


async def accept_decoded(context: Context, values: object, origin: Origin, *, size: int) -> AcceptedVideo:
    """Do the same for a request that came with others and is in memory already, all together of so many bytes."""
    run: _Run = _here if size <= SMALL_BODY else asyncio.to_thread
    return await _accept(context, lambda: RawRequest(values), origin, run)


async def _accept(context: Context, read: Callable[[], RawRequest], origin: Origin, run: _Run) -> AcceptedVideo:
    """Accept in a span of its own, which is the parent of all that happens to the video."""
    if origin.transport == "amqp":
        named = {"messaging_system": "rabbitmq", "messaging_operation_type": "process"}
        traced = tracing.span(
            f"process {COMMANDS_QUEUE}",
            origin.trace,
            SpanKind.CONSUMER,
            messaging_destination_name=COMMANDS_QUEUE,
            **named,
        )
    else:
        traced = tracing.span("accept video", origin.trace, SpanKind.SERVER)
    with traced as trace:
        return await _accept_traced(context, read, replace(origin, trace=trace), run)


async def _accept_traced(context: Context, read: Callable[[], RawRequest], origin: Origin, run: _Run) -> AcceptedVideo:
    request = await run(_parsed, context, read, origin)
    found = None if request.picture is None else await _inspected(context, request.picture)
    new = await run(_new_video, request, origin, await context.enabled.names())
    if request.picture is not None and found is not None:
        upload = await context.store.pictures.keep(found.content_type, request.picture)
        await failpoints.failpoint("picture stored")
        new = replace(new, picture=upload)
    return await _keep(context, new, origin)


async def _here(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    return work(*args, **kwargs)


def _parsed(context: Context, read: Callable[[], RawRequest], origin: Origin) -> ParsedRequest:
    raw = read()
    allow_private = context.settings.allow_private_image_hosts
    return parsing.parse(raw.values, allow_private=allow_private, picture=raw.picture, others=origin.faults)


async def _inspected(context: Context, picture: bytes) -> Picture:
    try:
        return await context.inspectors.inspect(picture)
    except PictureRejected as rejection:
        raise Refusal(ProblemCode.IMAGE_REJECTED, f"the picture {rejection}") from None
    except InspectorUnavailable as error:
        raise Refusal(ProblemCode.OVERLOADED, f"{error}; try again", retry_after=1) from None


def _new_video(request: ParsedRequest, origin: Origin, enabled: Sequence[Provider]) -> NewVideo:
    fields = request.fields
    routing.refuse_unroutable(fields.provider, fields.motion, enabled)
    routing.refuse_long_prompt(fields.provider, fields.motion, fields.prompt, enabled)
    return NewVideo(
        motion=fields.motion,
        orientation=fields.orientation,
        prompt=fields.prompt,
        choice=fields.provider,
        fallback=fields.may_fall_back,
        metadata=fields.metadata,
        image_url=fields.image_url,
        picture=None,
        caller=origin.caller,
        idempotency_key=origin.idempotency_key,
        fingerprint="" if origin.idempotency_key is None else parsing.fingerprint(request),
        budget=origin.budget,
        trace=origin.trace,
    )


async def _keep(context: Context, new: NewVideo, origin: Origin) -> AcceptedVideo:
    context.store.notify(Signal.ACCEPTED)
    outcome = await context.write_small(acceptance.accept, new, context.addresses.picture, now=context.now())
    if new.picture is not None and new.picture.name and not (isinstance(outcome, AcceptedVideo) and outcome.created):
        await _discard(context, new.picture.name)
    if isinstance(outcome, KeyConflict):
        raise Refusal(
            ProblemCode.IDEMPOTENCY_CONFLICT,
            "the idempotency key was used for a request with other fields or another picture; use a new key",
        )
    if isinstance(outcome, BudgetExhausted):
        raise budget_exhausted(origin.caller, origin.budget, now=context.now())
    if outcome.created:
        _log.info("video accepted", video=outcome.video.id, caller=origin.caller, transport=origin.transport)
        await failpoints.failpoint("accepted")
        metrics.videos_accepted.labels(origin.transport, origin.caller).inc()
    return outcome


async def _discard(context: Context, name: str) -> None:
    """Remove a picture that no video was made of; what cannot be removed now is swept later."""
    with suppress(StoreUnavailable):
        await context.store.pictures.remove([name])


def budget_exhausted(caller: str, budget: int | None, *, now: float) -> Refusal:
    """Refuse a caller whose videos of today are used up."""
    return Refusal(
        ProblemCode.BUDGET_EXHAUSTED,
        f"{caller} may ask for {budget} videos a day (UTC), and today's are used up;"
        " try again tomorrow, or have the operator raise the budget",
        retry_after=spending.seconds_left(now),
    )
