"""The metrics for Prometheus; docs/metrics.md explains each. Labels are bounded: none holds an id or an address."""

import platform
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs; it spares a needless series for each metric

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_SECONDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)
_SHORT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(f"reelbus_{name}", text, labels, registry=REGISTRY)


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    return Gauge(f"reelbus_{name}", text, labels, registry=REGISTRY)


def _histogram(name: str, text: str, *labels: str, buckets: tuple[float, ...] = _SECONDS) -> Histogram:
    return Histogram(f"reelbus_{name}", text, labels, registry=REGISTRY, buckets=buckets)


build_info = _gauge("build_info", "1, with the release and its Python in the labels", "version", "python")
build_info.labels(version("reelbus"), platform.python_version()).set(1)
event_loop_delay_seconds = _histogram(
    "event_loop_delay_seconds", "seconds that a timer of the event loop was late", buckets=_SHORT_SECONDS
)
store_ready = _gauge("store_ready", "1 while the store can be written")
store_commit_seconds = _histogram("store_commit_seconds", "seconds of one group commit", buckets=_SHORT_SECONDS)
store_queue_seconds = _histogram(
    "store_queue_seconds", "seconds that the oldest work of a group waited for its commit", buckets=_SHORT_SECONDS
)


def note_commit(commit: float, waited: float) -> None:
    """Note a group commit: its own seconds, and those that the oldest of its work had waited."""
    store_commit_seconds.observe(commit)
    store_queue_seconds.observe(waited)


requests = _counter("http_requests", "HTTP requests answered", "route", "method", "status")
request_seconds = _histogram("http_request_seconds", "seconds from a request's head to its answer", "route")
videos_accepted = _counter("videos_accepted", "videos accepted", "transport", "caller")
webhooks_received = _counter("webhooks_received", "webhooks recorded", "provider")
webhooks_refused = _counter("webhooks_refused", "webhook requests with a token that is not ours")
unexpected_errors = _counter("unexpected_errors", "steps that failed in a way nobody foresaw", "step", "error")
provider_switched_off = _gauge("provider_switched_off", "1 while no process has its credentials", "provider")
rows_unreadable = _gauge("rows_unreadable", "rows put aside because this release cannot read them")
webhook_missed = _counter("webhook_missed", "ends that a poll found before any webhook came", "provider")
webhook_signatures = _counter("webhook_signatures", "signed webhooks read, by what is wrong", "provider", "signature")
submissions = _counter("submissions", "submissions by what they came to", "provider", "outcome")
checks = _counter("checks", "checks by what they reported", "provider", "report")
unknown_status = _counter("unknown_status", "checks that met a status word of unknown meaning", "provider")
cancellations = _counter("cancellations", "wishes to stop a job, by what its provider said", "provider", "answer")
lookups = _counter("lookups", "questions for lost submissions, by what came of them", "provider", "answer")
undocumented_answers = _counter("undocumented_answers", "answers and webhooks of no documented shape", "provider")
answer_shapes = _gauge("answer_shapes", "kept shapes of answers that no page documents")
new_answer_shapes = _counter("new_answer_shapes", "shapes of answers that nobody had ever seen", "provider")
results_proven = _counter(
    "results_proven", "results whose addresses were asked, by what came of it", "provider", "outcome"
)
attempts_ended = _counter("attempts_ended", "attempts that a check ended, by how", "provider", "outcome", "detected_by")
public_address_lost = _gauge(
    "public_address_lost", "1 while our own requests to the public address, which came back before, do not"
)
webhooks_late = _counter("webhooks_late", "webhooks for attempts that had ended before", "provider")
webhook_to_end_seconds = _histogram(
    "webhook_to_end_seconds", "seconds from a webhook to the end that it prompted, with its event", "provider"
)
provider_request_seconds = _histogram(
    "provider_request_seconds", "seconds of one submission or check, as it was asked", "provider", "request"
)
provider_held_back = _gauge("provider_held_back", "1 while the provider asked us to wait", "provider")
provider_budget_requests = _gauge("provider_budget_requests", "requests that the budget allows at once now", "provider")
credits_remaining = _gauge("credits_remaining", "credits as the provider last reported them", "provider")
credits_spent = _gauge("credits_spent", "credits that attempts spent, by our ledger", "provider")
credits_refunded = _gauge("credits_refunded", "credits that came back, by our ledger", "provider")
credits_unknown = _gauge("credits_unknown", "credits of submissions of unknown outcome", "provider")
credits_unexplained = _gauge("credits_unexplained", "reported balance less what our ledger explains", "provider")
attempt_seconds = _histogram("attempt_seconds", "seconds from acceptance by the provider to the end", "provider")
check_delay_seconds = _histogram("check_delay_seconds", "seconds that a due check waited", "provider")
provider_authorized = _gauge("provider_authorized", "1 while the provider takes our credentials", "provider")
webhooks_missed_in_a_row = _gauge(
    "webhooks_missed_in_a_row", "of the newest videos, how many no webhook came for, up to 50", "provider"
)
provider_out_of_credits = _gauge(
    "provider_out_of_credits", "1 while the provider refuses submissions because the account is empty", "provider"
)
videos_finished = _counter("videos_finished", "videos whose terminal event the broker confirmed", "outcome", "provider")
video_seconds = _histogram(
    "video_seconds", "seconds from a video's acceptance to the confirmed terminal event", "outcome"
)
event_publish_seconds = _histogram("event_publish_seconds", "seconds that an event waited for its confirm")
provider_circuit = _gauge(
    "provider_circuit", "1 for the state that a provider's circuit breaker is in", "provider", "state"
)
provider_paused = _gauge("provider_paused", "1 while an operator has paused the provider", "provider")
events_published = _counter("events_published", "events that the broker confirmed", "type")
publish_failures = _counter("publish_failures", "publishes that were not confirmed", "reason")
outbox_events = _gauge("outbox_events", "events that no broker has confirmed yet (counted up to 10,000)")
outbox_oldest_seconds = _gauge("outbox_oldest_seconds", "age of the oldest such event in seconds, 0 without one")
videos_open = _gauge("videos_open", "videos that are not finished", "state")
broker_reconnects = _counter("broker_reconnects", "connections to the broker that were lost or refused", "link")
broker_connected = _gauge("broker_connected", "1 while the broker is connected")
commands = _counter("commands", "commands taken from the queue, by what became of them", "outcome")
command_replies = _counter("command_replies", "replies to commands, by what became of them", "outcome")
dead_letters = _gauge("dead_letters", "commands parked in video.commands.dead, as of a few seconds ago")
events_refused = _gauge("events_refused", "events that the broker refused and that wait for another try (up to 10,000)")
