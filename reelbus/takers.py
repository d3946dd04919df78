"""Ask who takes our events. AMQP cannot say, since the log takes every one; RabbitMQ's management API can."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx

from process.settings import Settings
from publisher.binding import takes
from publisher.topology import log_stream
from schemas.event import routing_key
from schemas.names import TERMINAL_EVENTS

_TIMEOUT_SECONDS = 5.0
_MEND = "bind a durable queue by it, as docs/subscribing.md shows; until then such events are in the log alone"


async def takers(settings: Settings, *, management: str | None = None) -> tuple[str, str, str]:
    """Say whether some queue takes every terminal event: verdict, detail and mend for the doctor.

    `management` is the API's address; by default the broker's host on RabbitMQ's own port. Where it does not answer,
    or our user may not ask, that is no fault: it is said that nobody could look.
    """
    parts = urlsplit(settings.amqp_urls[0])
    base = management or _default_address(parts.scheme, parts.hostname or "")
    vhost = quote(unquote(parts.path.lstrip("/")) or "/", safe="")
    address = f"{base}/api/exchanges/{vhost}/{quote(settings.exchange, safe='')}/bindings/source"
    login = (unquote(parts.username or "guest"), unquote(parts.password or "guest"))
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as http:
            answer = await http.get(address, auth=login)
        bindings = answer.json() if answer.status_code == 200 else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return "off", f"nobody can say who takes events: no management API answers at {base}", ""
    if not isinstance(bindings, list):
        return "off", f"nobody can say who takes events: {base} answers {answer.status_code}", ""
    return _verdict(settings, [each for each in bindings if each["destination"] != log_stream(settings.exchange)])


def _default_address(scheme: str, host: str) -> str:
    named = f"[{host}]" if ":" in host else host
    return f"https://{named}:15671" if scheme == "amqps" else f"http://{named}:15672"


def _verdict(settings: Settings, bindings: Sequence[dict[str, Any]]) -> tuple[str, str, str]:
    counts = {
        routing_key(event_type, provider): len(
            {each["destination"] for each in bindings if takes(each["routing_key"], routing_key(event_type, provider))}
        )
        for event_type in TERMINAL_EVENTS
        for provider in settings.enabled_providers or settings.providers
    }
    nobody = [key for key, count in counts.items() if not count]
    if nobody:
        return "warn", f"nobody is bound to {', '.join(nobody)}", _MEND
    return "ok", f"each terminal event goes to {min(counts.values())} queues or more, besides the log", ""
