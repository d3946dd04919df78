"""Read from a request who sends it, under which idempotency key and in which trace."""

from starlette.requests import Request

from intake.accept import Origin
from intake.parsing import idempotency_key_faults
from receiver.keyring import Identity
from schemas.trace import read_trace


def origin_of(request: Request) -> Origin:
    """Name the origin of a request that was let in."""
    keys = [value.decode("latin-1") for name, value in request.headers.raw if name == b"idempotency-key"]
    parents, states = request.headers.getlist("traceparent"), request.headers.getlist("tracestate")
    identity: Identity | None = request.scope.get("reelbus.identity")
    return Origin(
        caller=request.scope["reelbus.caller"],
        transport="http",
        idempotency_key=keys[0] if keys else None,
        faults=idempotency_key_faults(keys),
        budget=None if identity is None else identity.budget,
        trace=read_trace(parents[0] if len(parents) == 1 else None, ",".join(states) if states else None),
    )
