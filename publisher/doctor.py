"""Look at the broker and the topology for `reelbus doctor`, changing nothing."""

from typing import NamedTuple

from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelPreconditionFailed

from process.settings import Settings
from publisher import topology
from publisher.connection import close, connect, reason
from publisher.pace import PACE, Pace


class Check(NamedTuple):
    """One line of the doctor: what was looked at, whether it is well, what was found, and the mend."""

    name: str
    ok: bool
    detail: str
    mend: str


async def probe(settings: Settings, *, pace: Pace = PACE) -> list[Check]:
    """Check that the broker lets us in, and that the topology is there as we declare it."""
    try:
        connection = await connect(settings, pace, name="doctor")
    except Exception as error:
        mend = "start RabbitMQ, or set REELBUS_AMQP_URL to where it is and who we are there"
        return [Check("broker", ok=False, detail=reason(error), mend=mend)]
    try:
        return [
            Check("broker", ok=True, detail="lets us in", mend=""),
            await _topology(connection, settings.exchange, pace),
        ]
    finally:
        await close(connection, within=pace.close)


async def _topology(connection: AbstractConnection, exchange: str, pace: Pace) -> Check:
    try:
        absent = await topology.missing(connection, exchange, within=pace.declare)
        if absent:
            mend = "start `reelbus run` or `reelbus publisher`, which declares it"
            return Check("topology", ok=False, detail=f"missing: {', '.join(absent)}", mend=mend)
        # Nothing is missing, so this changes nothing: it asks whether everything has our properties.
        await topology.declare(connection, exchange, within=pace.declare)
    except ChannelPreconditionFailed as error:
        mend = "delete what has the name, once nothing is in it, or set REELBUS_EXCHANGE to another name"
        return Check("topology", ok=False, detail=str(error), mend=mend)
    except Exception as error:
        return Check("topology", ok=False, detail=reason(error), mend="see RabbitMQ's log")
    return Check("topology", ok=True, detail="exchanges, queues and the log are there", mend="")
