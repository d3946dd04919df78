"""Logs: for people on a terminal, JSON elsewhere, always on stderr, never a secret in them."""

import json
import logging
import os
import sys
from collections.abc import Callable
from functools import cache

import structlog


def set_up(*, quiet: bool = False) -> None:
    """Send our own and the libraries' logs to stderr, one line each; only warnings and worse if `quiet`."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(
            colors=not os.environ.get("NO_COLOR"), exception_formatter=structlog.dev.plain_traceback
        )
        if terminal
        else structlog.processors.JSONRenderer(serializer=_written)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    level = logging.WARNING if quiet else logging.INFO
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # These write whole addresses, and ours hold tokens.
    for name in ("httpx", "httpcore", "uvicorn.access", "aiohttp.access", "asyncio", "PIL"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # A lost connection is told by ourselves, once, with its reason.
    for name in ("aio_pika", "aiormq"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # Ours take the short way: through the standard library a line costs as much as an accept.
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _written(line: dict[str, object], *, default: Callable[[object], object]) -> str:
    return _encoder(default).encode(line)


@cache
def _encoder(default: Callable[[object], object]) -> json.JSONEncoder:
    # `json.dumps` makes one for each line, which is half of what it costs; like it this writes ASCII only.
    return json.JSONEncoder(default=default)
