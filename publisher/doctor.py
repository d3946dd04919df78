"""Look at the broker and the topology for `reelbus doctor`, changing nothing."""

from typing import NamedTuple

from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelPreconditionFailed

from process.settings import Settings
from publisher import topology
from publisher.connect import close, connect
from publisher.connection_errors import reason
from publisher.timing import TIMING, Timing


class Check(NamedTuple):
    """One line of the doctor: what was looked at, whether it is well, what was found, and the mend."""

    name: str
    ok: bool
    detail: str
    mend: str


async def probe(settings: Settings, *, timing: Timing = TIMING) -> list[Check]:
    """Check that the broker lets us in, and that the topology is there as we declare it."""
    try:
        connection = await connect(settings, timing, name="doctor")
    except Exception as error:
        mend = "start RabbitMQ, or set REELBUS_AMQP_URL to where it is and who we are there"
        return [Check("broker", ok=False, detail=reason(error), mend=mend)]
    try:
        return [
            Check("broker", ok=True, detail=f"lets us in: {_release(connection)}", mend=""),
            await _topology(connection, topology.events, settings.exchange, timing),
            await _topology(connection, topology.commands, settings.exchange, timing),
            await _dead_letters(connection, timing),
        ]
    finally:
        await close(connection, within=timing.close)


_MISMATCH: dict[topology.Declare, str] = {
    topology.events: "delete what has the name, once nothing is in it, or set REELBUS_EXCHANGE to another name",
    topology.commands: "delete what has the name, once nothing is in it; until then no commands are taken",
}


async def _topology(connection: AbstractConnection, part: topology.Declare, exchange: str, timing: Timing) -> Check:
    name = "topology" if part is topology.events else "commands"
    try:
        absent = await topology.missing(connection, part, exchange, within=timing.declare)
        if absent:
            mend = "start `reelbus run` or `reelbus publisher`, which declares it"
            return Check(name, ok=False, detail=f"missing: {', '.join(absent)}", mend=mend)
        # Nothing is missing, so this changes nothing: it asks whether everything has our properties.
        await topology.declare(connection, part, exchange, within=timing.declare)
    except ChannelPreconditionFailed as error:
        return Check(name, ok=False, detail=str(error), mend=_MISMATCH[part])
    except Exception as error:
        return Check(name, ok=False, detail=reason(error), mend="see RabbitMQ's log")
    there = ", ".join(topology.described(part, exchange))
    return Check(name, ok=True, detail=f"exchange and queues are there: {there}", mend="")


def _release(connection: AbstractConnection) -> str:
    """Name the broker as it names itself."""
    told: dict[str, object] = getattr(getattr(connection.transport, "connection", None), "server_properties", {})
    return " ".join(str(told.get(word, "")) for word in ("product", "version")).strip() or "it does not say what it is"


async def _dead_letters(connection: AbstractConnection, timing: Timing) -> Check:
    """Say how many commands are parked, which is for people to look into and no fault of the service."""
    try:
        count = await topology.depth(connection, topology.DEAD_QUEUE, within=timing.declare)
    except Exception as error:
        return Check("dead letters", ok=False, detail=reason(error), mend="see RabbitMQ's log")
    detail = f"{count} commands are parked: see `reelbus dead list`" if count else "no command is parked"
    return Check("dead letters", ok=True, detail=detail, mend="")
