"""Ask who takes our events. AMQP cannot say, since the log takes every one; RabbitMQ's management API can."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx

from process.settings import Settings
from publisher.binding import takes
from publisher.topology import log_stream
from receiver.local import is_loopback
from schemas.event import routing_key
from schemas.names import TERMINAL_EVENTS, Provider
from schemas.subscriptions import Subscription, Subscriptions

_TIMEOUT_SECONDS = 2.0
_QUEUES_ASKED = 50
_MEND = "bind a durable queue by it, as docs/subscribing.md shows; until then such events are in the log alone"


@dataclass(frozen=True, slots=True)
class Takers:
    """The management API of the broker that the settings name.

    Its address is `REELBUS_MANAGEMENT_URL`; without it a broker on this machine is asked at RabbitMQ's own port, and
    no other: who asks is who we are on the broker, and that password goes to no port that nobody named.
    """

    settings: Settings

    async def look(self, providers: Sequence[Provider] = ()) -> Subscriptions:
        """Look who is bound, and for which terminal events of these providers nobody is; by default of the enabled."""
        base = self.settings.management_url or _local_address(self.settings)
        if base is None:
            return self._unknown("REELBUS_MANAGEMENT_URL is not set, and the broker is not on this machine")
        parts = urlsplit(self.settings.amqp_urls[0])
        login = (unquote(parts.username or "guest"), unquote(parts.password or "guest"))
        vhost = quote(unquote(parts.path.lstrip("/")) or "/", safe="")
        try:
            async with httpx.AsyncClient(
                base_url=f"{base}/api/", auth=login, timeout=_TIMEOUT_SECONDS, trust_env=False
            ) as http:
                exchange = quote(self.settings.exchange, safe="")
                answer = await http.get(f"exchanges/{vhost}/{exchange}/bindings/source")
                bindings = answer.json() if answer.status_code == 200 else None
                if not isinstance(bindings, list):
                    return self._unknown(f"{base} answers {answer.status_code}")
                kept = [each for each in bindings if each["destination"] != log_stream(self.settings.exchange)]
                counts = await _counts(http, vhost, kept)
                unroutable = await _unroutable(http, vhost)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError, AttributeError):
            return self._unknown(f"no management API answers at {base}")
        return Subscriptions(
            exchange=self.settings.exchange,
            management=base,
            items=[_subscription(each, counts.get(each["destination"])) for each in kept],
            unheard=_unheard([each["routing_key"] for each in kept], providers or self._providers()),
            unroutable=unroutable,
            fault=None,
        )

    def _providers(self) -> Sequence[Provider]:
        return self.settings.enabled_providers or self.settings.providers

    def _unknown(self, fault: str) -> Subscriptions:
        exchange = self.settings.exchange
        return Subscriptions(exchange=exchange, management=None, items=[], unheard=[], unroutable=None, fault=fault)


async def takers(settings: Settings) -> tuple[str, str, str]:
    """Say whether some queue takes every terminal event: verdict, detail and mend for the doctor.

    Where the management API does not answer, or our user may not ask, that is no fault: it is said that nobody could
    look.
    """
    found = await Takers(settings).look()
    if found.fault is not None:
        return "off", f"nobody can say who takes events: {found.fault}", ""
    if found.unheard:
        return "warn", f"nobody is bound to {', '.join(found.unheard)}", _MEND
    idle = sorted({each.destination for each in found.items if each.consumers == 0})
    consumed = f"; nobody consumes {', '.join(idle)}" if idle else ""
    return "ok", f"each terminal event goes to a queue besides the log{consumed}", ""


def _local_address(settings: Settings) -> str | None:
    parts = urlsplit(settings.amqp_urls[0])
    host = parts.hostname or ""
    if not is_loopback(host):
        return None
    named = f"[{host}]" if ":" in host else host
    return f"https://{named}:15671" if parts.scheme == "amqps" else f"http://{named}:15672"


async def _counts(http: httpx.AsyncClient, vhost: str, bindings: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Ask how many consume each of the first queues, and what waits there."""
    names = list(dict.fromkeys(each["destination"] for each in bindings if each["destination_type"] == "queue"))
    asked = names[:_QUEUES_ASKED]
    answers = await asyncio.gather(*(http.get(f"queues/{vhost}/{quote(name, safe='')}") for name in asked))
    return {name: answer.json() for name, answer in zip(asked, answers, strict=True) if answer.status_code == 200}


def _subscription(binding: dict[str, Any], queue: dict[str, Any] | None) -> Subscription:
    return Subscription(
        destination=binding["destination"],
        routing_key=binding["routing_key"],
        consumers=(queue or {}).get("consumers"),
        messages=(queue or {}).get("messages"),
    )


async def _unroutable(http: httpx.AsyncClient, vhost: str) -> int | None:
    answer = await http.get(f"vhosts/{vhost}")
    if answer.status_code != 200:
        return None
    stats = answer.json().get("message_stats", {})
    return int(stats.get("drop_unroutable", 0)) + int(stats.get("return_unroutable", 0))


def _unheard(bound: Sequence[str], providers: Sequence[Provider]) -> list[str]:
    keys = [routing_key(event_type, provider) for event_type in TERMINAL_EVENTS for provider in providers]
    return [key for key in sorted(keys) if not any(takes(binding, key) for binding in bound)]
