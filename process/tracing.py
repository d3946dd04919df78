"""Traces by OpenTelemetry: off, and not even imported, unless OTEL_EXPORTER_OTLP_ENDPOINT is set.

While it is off, `span` passes a request's trace on untouched. While it is on, each step of a video is a span of the
trace that its request came with, or of a new one; the exporter and its sampling follow OpenTelemetry's own `OTEL_…`
variables. Either way the log lines within a span name its trace.
"""

import os
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from typing import ClassVar, Protocol

from structlog.contextvars import bound_contextvars

from process.environment import WrongSettings
from schemas.trace import Trace

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

Attributes = dict[str, str | int | float | bool]


class SpanKind(StrEnum):
    """What a span is to the process at its other end, in OpenTelemetry's words."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Exporter(Protocol):
    """What makes spans and sends them to a collector."""

    @contextmanager
    def span(self, name: str, parent: Trace, kind: SpanKind, attributes: Attributes) -> Iterator[Trace]:
        """Make a span around the block; an exception that leaves it is noted in it."""

    def record(
        self, name: str, parent: Trace, kind: SpanKind, attributes: Attributes, *, began: float, ended: float
    ) -> None:
        """Make a span of what is over; times in Unix seconds."""

    def close(self) -> None:
        """Send what is left, for a few seconds at most."""


class _Current:
    exporter: ClassVar[Exporter | None] = None


def set_up(roles: Collection[str]) -> None:
    """Begin to export, where an endpoint is set. Raises `WrongSettings` where OpenTelemetry is not installed."""
    variable = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if variable is None:
        return
    try:
        from process.trace_exporter import OtlpExporter  # noqa: PLC0415 - its import costs as much as a start
    except ImportError as error:
        raise WrongSettings(
            f"{variable} is set, but OpenTelemetry is not installed: install reelbus[otel], or unset it"
        ) from error
    _Current.exporter = OtlpExporter(roles)


def close() -> None:
    """Send what is left, and export no more."""
    exporter, _Current.exporter = _Current.exporter, None
    if exporter is not None:
        exporter.close()


def is_on() -> bool:
    """Say whether spans are exported: only then is it worth looking for the trace that a step belongs to."""
    return _Current.exporter is not None


def span(
    name: str, parent: Trace, kind: SpanKind = SpanKind.INTERNAL, **attributes: str | int
) -> AbstractContextManager[Trace]:
    """Make a span around the block and give its trace, for what happens within or because of it.

    An underscore in an attribute's name stands for a dot, two for an underscore: `messaging_system` is
    `messaging.system`.
    """
    exporter = _Current.exporter
    if exporter is not None:
        return _exported(exporter, name, parent, kind, attributes)
    return nullcontext(parent) if parent.traceparent is None else _logged(parent)


@contextmanager
def _exported(
    exporter: Exporter, name: str, parent: Trace, kind: SpanKind, attributes: dict[str, str | int]
) -> Iterator[Trace]:
    with exporter.span(name, parent, kind, _dotted(attributes)) as inner, log_of(inner):
        yield inner


@contextmanager
def _logged(trace: Trace) -> Iterator[Trace]:
    with log_of(trace):
        yield trace


def log_of(trace: Trace) -> AbstractContextManager[None]:
    """Have the log lines within name a trace, where there is one."""
    return nullcontext() if trace.traceparent is None else bound_contextvars(**log_fields(trace))


def log_fields(trace: Trace) -> dict[str, str]:
    """Give what a log line says of a trace: its id, or nothing where there is no trace."""
    return {} if trace.traceparent is None else {"trace_id": trace.traceparent.split("-")[1]}


def record(name: str, parent: Trace, kind: SpanKind, *, began: float, ended: float, **attributes: str | int) -> None:
    """Make a span of what is over, from one time to another in Unix seconds."""
    exporter = _Current.exporter
    if exporter is not None:
        exporter.record(name, parent, kind, _dotted(attributes), began=began, ended=ended)


def _dotted(attributes: dict[str, str | int]) -> Attributes:
    return {name.replace("__", " ").replace("_", ".").replace(" ", "_"): value for name, value in attributes.items()}
