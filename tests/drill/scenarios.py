"""What goes wrong in a drill: how it is broken, what must tell of it, and what mends it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.drill.site import Site


@dataclass(frozen=True)
class Scenario:
    """One thing that goes wrong. What tells is named as `tests.drill.signs` names it."""

    name: str
    breaks: Callable[[Site], Awaitable[None]]
    mends: Callable[[Site], Awaitable[None]]
    tells: frozenset[str]
    """All of these must be seen within 30 seconds."""
    may_tell: frozenset[str] = field(default_factory=frozenset)
    """True too, and seen later or not at all; whatever else is seen was told wrongly."""
    mend: str = ""
    """What the operator does, for the table."""


async def _provider_down(site: Site) -> None:
    await site.control("/sandbox/outage", provider="iacrea", mode="refuse")


async def _provider_back(site: Site) -> None:
    await site.control("/sandbox/outage", provider="iacrea", mode=None)


async def _broker_down(site: Site) -> None:
    await site.broker.kill()


async def _broker_back(site: Site) -> None:
    await site.broker.start()


async def _disk_full(site: Site) -> None:
    site.fleet.forbid_writing(forbidden=True)


async def _disk_has_room(site: Site) -> None:
    site.fleet.forbid_writing(forbidden=False)


async def _key_revoked(site: Site) -> None:
    await site.control("/sandbox/outage", provider="iacrea", mode="401")


async def _new_key(site: Site) -> None:
    await site.control("/sandbox/outage", provider="iacrea", mode=None)
    await site.restart("generator", "poller")


async def _route_blocked(site: Site) -> None:
    site.public.refuses = True
    site.public.cut()


async def _route_open(site: Site) -> None:
    site.public.refuses = False


async def _credits_exhausted(site: Site) -> None:
    await site.control("/sandbox/credits", provider="iacrea", remaining=0)


async def _credits_bought(site: Site) -> None:
    await site.control("/sandbox/credits", provider="iacrea", remaining=100_000)


async def _poison(site: Site) -> None:
    await site.publish_command(b"\x80 this is no JSON")


async def _poison_dropped(site: Site) -> None:
    letters = [line.split()[0] for line in (await site.run("dead", "list")).splitlines() if not line.startswith(" ")]
    await site.run("dead", "drop", *letters)


_FAILING = frozenset({"alert ReelbusVideosFail"})

SCENARIOS = (
    Scenario(
        "provider down",
        _provider_down,
        _provider_back,
        frozenset({"alert ReelbusProviderDown", "tile iacrea away", "log provider is away"}),
        _FAILING | {"tile iacrea testing", "alert ReelbusSubmissionsUnknown"},  # those that were cut off half-way
        "nothing: it is tested again by itself, ever more seldom, once a minute at the latest;"
        " to send it no work meanwhile, `reelbus pause iacrea`",
    ),
    Scenario(
        "broker down",
        _broker_down,
        _broker_back,
        frozenset({"alert ReelbusBrokerDown", "readyz broker", "tile broker", "log broker lost"}),
        frozenset({"alert ReelbusOutboxStuck", "alert ReelbusApiErrors"}),
        "start RabbitMQ again; what waits in the outbox is published in order",
    ),
    Scenario(
        "disk full",
        _disk_full,
        _disk_has_room,
        frozenset({"alert ReelbusStoreDown", "readyz store", "tile store", "log store unavailable"}),
        frozenset({"alert ReelbusApiErrors", "alert ReelbusProcessDown", "alert ReelbusOutboxStuck"})
        | {"alert ReelbusUnexpectedErrors", "alert ReelbusVideosSlow", "alert ReelbusStoreSlow"},
        "make room; nothing need be restarted",
    ),
    Scenario(
        "key revoked at the provider",
        _key_revoked,
        _new_key,
        frozenset({"alert ReelbusProviderRefusesKey", "tile iacrea refusing", "log provider refuses our credentials"}),
        _FAILING,
        "set the new key, restart generator and poller, then `reelbus retry --failed --code authentication_failed`",
    ),
    Scenario(
        "webhook route blocked",
        _route_blocked,
        _route_open,
        frozenset({"alert ReelbusPublicAddressLost", "tile public address", "log public address lost"}),
        frozenset({"alert ReelbusWebhooksMissed", "tile iacrea webhooks missed"}),
        "open the route: [webhook.md](webhook.md#when-webhooks-do-not-arrive); polling finds the videos meanwhile",
    ),
    Scenario(
        "credits exhausted",
        _credits_exhausted,
        _credits_bought,
        frozenset({"alert ReelbusCreditsExhausted", "tile iacrea out of credits", "log provider finds no credits"}),
        _FAILING | {"alert ReelbusCreditsLow", "alert ReelbusCreditsUnexplained"},
        "buy credits, then `reelbus retry --failed --code out_of_credits`",
    ),
    Scenario(
        "poison command",
        _poison,
        _poison_dropped,
        frozenset({"alert ReelbusDeadCommands", "tile commands", "log command parked"}),
        frozenset(),
        "`reelbus dead list` shows why; `reelbus dead requeue ID` once the cause is mended, or `reelbus dead drop ID`",
    ),
)
