"""Handle a command from the queue: the same request as over HTTP, answered by the same documents."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from intake import accept as accepting
from intake import parsing
from intake.accept import Origin, RawRequest
from intake.context import COMMANDS_CALLER, Context
from schemas.problem import ProblemCode, Refusal
from schemas.trace import NO_TRACE, Trace
from store.database import StoreUnavailable


@dataclass(frozen=True, slots=True)
class Reply:
    """The document to answer with: the video, or the problem of a command that was not accepted.

    Without `readable` the body was no JSON object.
    """

    document: dict[str, Any]
    accepted: bool
    readable: bool = True


async def handle(context: Context, body: bytes, message_id: str | None, trace: Trace = NO_TRACE) -> Reply:
    """Accept the video that a command asks for, or say why not; the message's id is the idempotency key.

    Once this returns, an accepted video is durable. Raises `StoreUnavailable`: then nothing was changed and the
    command is to be handled again.
    """
    key = message_id or None
    faults = parsing.idempotency_key_faults([key] if key else [])
    origin = Origin(COMMANDS_CALLER, "amqp", key, faults, context.settings.commands_budget, trace)
    try:
        if len(body) > context.settings.max_body_bytes:
            raise Refusal(
                ProblemCode.PAYLOAD_TOO_LARGE,
                f"the command is larger than {context.settings.max_body_bytes} bytes; send image_url instead",
            )
        read = partial(_read, body)
        accepted = await accepting.accept(context, read, origin, size=len(body))
    except Refusal as refusal:
        if refusal.problem.code in {ProblemCode.OVERLOADED, ProblemCode.NOT_READY}:
            raise StoreUnavailable(refusal.problem.detail) from refusal
        readable = refusal.problem.code is not ProblemCode.BAD_REQUEST
        document = refusal.problem.model_dump(mode="json", exclude_none=True)
        return Reply(document, accepted=False, readable=readable)
    return Reply(accepted.video.model_dump(mode="json"), accepted=True)


def _read(body: bytes) -> RawRequest:
    values = parsing.read_json(body)
    if not isinstance(values, dict):
        raise Refusal(ProblemCode.BAD_REQUEST, "the body must be one JSON object with the documented fields")
    return RawRequest(values)
