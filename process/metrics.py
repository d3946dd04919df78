"""What operators may count, for Prometheus. No metric is labelled with an id."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(f"reelbus_{name}", text, labels, registry=REGISTRY)


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    return Gauge(f"reelbus_{name}", text, labels, registry=REGISTRY)


def _histogram(name: str, text: str, *labels: str) -> Histogram:
    buckets = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)
    return Histogram(f"reelbus_{name}", text, labels, registry=REGISTRY, buckets=buckets)


requests = _counter("http_requests", "HTTP requests answered", "route", "method", "status")
videos_accepted = _counter("videos_accepted", "videos accepted", "transport", "caller")
webhooks_received = _counter("webhooks_received", "webhooks recorded", "provider")
webhooks_refused = _counter("webhooks_refused", "webhook requests with a token that is not ours")
unexpected_errors = _counter("unexpected_errors", "steps that failed in a way nobody foresaw", "step", "error")
provider_switched_off = _gauge("provider_switched_off", "1 while no process has its credentials", "provider")
rows_unreadable = _gauge("rows_unreadable", "rows put aside because this release cannot read them")
webhook_missed = _counter("webhook_missed", "ends that a poll found before any webhook came", "provider")
submissions = _counter("submissions", "submissions by what they came to", "provider", "outcome")
checks = _counter("checks", "checks by what they reported", "provider", "report")
unknown_status = _counter("unknown_status", "checks that met a status word of unknown meaning", "provider")
attempts_ended = _counter("attempts_ended", "attempts that a check ended, by how", "provider", "outcome")
attempt_seconds = _histogram("attempt_seconds", "seconds from acceptance by the provider to the end", "provider")
check_delay_seconds = _histogram("check_delay_seconds", "seconds that a due check waited", "provider")
provider_authorized = _gauge("provider_authorized", "1 while the provider takes our credentials", "provider")
events_published = _counter("events_published", "events that the broker confirmed", "type")
publish_failures = _counter("publish_failures", "publishes that were not confirmed", "reason")
outbox_events = _gauge("outbox_events", "events that no broker has confirmed yet (counted up to 10,000)")
outbox_oldest_seconds = _gauge("outbox_oldest_seconds", "age of the oldest such event in seconds, 0 without one")
videos_open = _gauge("videos_open", "videos that are not finished", "state")
broker_connected = _gauge("broker_connected", "1 while the broker is connected")
commands = _counter("commands", "commands taken from the queue, by what became of them", "outcome")
command_replies = _counter("command_replies", "replies to commands, by what became of them", "outcome")
dead_letters = _gauge("dead_letters", "commands parked in video.commands.dead, as of a few seconds ago")
events_refused = _gauge("events_refused", "events that the broker refused and that wait for another try (up to 10,000)")
