"""Who takes our events, as RabbitMQ's management API tells it."""

from schemas.video import Document


class Subscription(Document):
    """A queue, or another exchange, that is bound to the exchange of events; counts are null where nobody knows."""

    destination: str
    routing_key: str
    consumers: int | None
    messages: int | None


class Subscriptions(Document):
    """The bindings of the exchange of events, but for the log's.

    `management` is the address of RabbitMQ's management where it answered. `unheard` are the routing keys of terminal
    events that no binding takes, so that only the log keeps them. `unroutable` counts the messages of the virtual host
    that no queue took. Where nobody can say, `fault` tells why, and the lists are empty.
    """

    exchange: str
    management: str | None
    items: list[Subscription]
    unheard: list[str]
    unroutable: int | None
    fault: str | None
