"""Take messages whose properties cannot be decoded, where the library would drop the whole connection.

Anybody who may publish may send properties that are not UTF-8, a time beyond the calendar, or a table nested
too deeply. aiormq ends the connection over such a frame, so that one poison message would cost everything
else in hand a delivery. Here the frame is replaced: the body comes with no properties but a mark, and whoever
consumes puts it aside. This relies on `aiormq.connection` as it is in 7.2; a test fails when that moves.
"""

import asyncio
import struct
from typing import Any

import aio_pika
import structlog
from aio_pika.abc import UnderlayConnection
from aiormq.connection import Connection, FrameReceiver
from pamqp import commands
from pamqp.constants import FRAME_HEADER, FRAME_HEADER_SIZE, FRAME_METHOD
from pamqp.frame import frame_parts
from pamqp.header import ContentHeader
from yarl import URL

from process.line_limit import LimitedLog

UNDECODABLE = "x-reelbus-undecodable"
"""The one header of a message whose properties could not be decoded; its value says why."""

_CONTENT = struct.Struct(">HHQ")  # AMQP 0-9-1, section 4.2.6.1: class, weight, body size
_METHOD = struct.Struct(">I")

log = LimitedLog(structlog.get_logger(__name__))


class ForgivingConnection(aio_pika.Connection):
    """A connection that outlives what it cannot decode, and that is closed by us alone."""

    async def connect(self, timeout: float | None = None) -> None:
        """Connect, as the library does, to a reader that forgives."""
        self.transport = await _Underlay.connect(self.url, self._on_connection_close, timeout=timeout, **self.kwargs)
        await self._on_connected()

    def __del__(self) -> None:
        """Leave it: the library's own tries to close it from the garbage collector."""


class _Underlay(UnderlayConnection):
    @classmethod
    async def make_connection(cls, url: URL, timeout: Any = None, **kwargs: Any) -> Connection:  # noqa: ANN401
        connection = _Connection(url, **kwargs)
        async with asyncio.timeout(timeout):
            await connection.connect()
            await connection.ready()
        return connection


class _Connection(Connection):
    async def _Connection__reader(self, frame_receiver: FrameReceiver) -> None:  # noqa: N802 - the library's private name
        await super()._Connection__reader(_Receiver(frame_receiver.reader))  # type: ignore[misc]


class _Recording:
    """A stream that remembers the bytes of the frame that is being read."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.at_eof = reader.at_eof
        self.frame = b""
        self._reader = reader

    async def readexactly(self, size: int) -> bytes:
        """Read so many bytes."""
        part = await self._reader.readexactly(size)
        self.frame += part
        return part


class _Receiver(FrameReceiver):
    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._recording = _Recording(reader)
        super().__init__(self._recording)  # type: ignore[arg-type]  # it has the two methods that are used
        self.started = True

    async def get_frame(self) -> Any:  # noqa: ANN401 - the library's union of all frames
        self._recording.frame = b""
        try:
            return await super().get_frame()
        except StopAsyncIteration:
            raise
        except Exception as error:  # whatever decoding came upon; a lost connection is raised again
            return self._replaced(error)

    def _replaced(self, error: Exception) -> tuple[int, int, object]:
        frame = self._recording.frame
        kind, channel, size = frame_parts(frame)
        if size is None or len(frame) != FRAME_HEADER_SIZE + size + 1:
            raise error
        payload = frame[FRAME_HEADER_SIZE:-1]
        if kind == FRAME_HEADER:
            log.warning("message properties not decoded", reason=type(error).__name__)
            return len(frame), channel, _without_properties(payload, error)
        if kind == FRAME_METHOD and _METHOD.unpack(payload[:4])[0] == commands.Basic.Deliver.index:
            return len(frame), channel, _delivery(payload[4:])
        raise error


def _without_properties(payload: bytes, error: Exception) -> ContentHeader:
    _, weight, body_size = _CONTENT.unpack(payload[: _CONTENT.size])
    mark = commands.Basic.Properties(headers={UNDECODABLE: type(error).__name__})
    return ContentHeader(weight, body_size, mark)


def _delivery(payload: bytes) -> commands.Basic.Deliver:
    """Decode a delivery whose exchange or routing key is not UTF-8: AMQP 0-9-1, class basic, method deliver."""
    delivery = commands.Basic.Deliver()
    delivery.consumer_tag, rest = _short(payload)
    delivery.delivery_tag = int.from_bytes(rest[:8])
    delivery.redelivered = bool(rest[8] & 1)
    delivery.exchange, rest = _short(rest[9:])
    delivery.routing_key, _ = _short(rest)
    return delivery


def _short(data: bytes) -> tuple[str, bytes]:
    end = 1 + data[0]
    return data[1:end].decode("utf-8", "backslashreplace"), data[end:]
