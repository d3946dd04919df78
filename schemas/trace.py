"""The trace that a request belongs to (W3C Trace Context): checked, kept with the video and passed on in its events."""

import re
from typing import NamedTuple

_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_STATE = re.compile(r"[\x20-\x7e]{1,512}")


class Trace(NamedTuple):
    """What came in the headers `traceparent` and `tracestate`; None where there was nothing valid."""

    traceparent: str | None = None
    tracestate: str | None = None


NO_TRACE = Trace()


def read_trace(traceparent: object, tracestate: object) -> Trace:
    """Take a trace from the values of two headers; what is not valid is ignored, as the specification has it."""
    if not isinstance(traceparent, str) or not _PARENT.fullmatch(traceparent):
        return NO_TRACE
    state = tracestate if isinstance(tracestate, str) and _STATE.fullmatch(tracestate) else None
    return Trace(traceparent, state)
