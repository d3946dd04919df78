"""Read the signed webhooks of an attempt: one that proves its job is an answer of the provider itself.

Whatever else a signature is worth, the delivery has woken the attempt, and that is all that it does.
"""

from dataclasses import dataclass

from jobs import decide, unconfirmed
from process import metrics
from providers.base import ProviderClient, WebhookMessage
from providers.capabilities import Webhook
from providers.http.seen import SeenAnswer, WatchAnswers, watch_nothing
from providers.registry import capabilities
from providers.reports import Failed, Handle, Ready, Report, Signature, WebhookReading
from schemas.names import DetectedBy
from store.attempts import AttemptRow
from store.database import Store

READ_AT_ONCE = 10
"""Of the newest deliveries of an attempt; each signature costs some time on the event loop."""


@dataclass(frozen=True, slots=True)
class SignedWebhooks:
    """Reads what a provider that signs has delivered."""

    store: Store
    answered: WatchAnswers = watch_nothing
    """Told what is signed; whoever knows an address could have sent the rest."""

    async def readings(self, client: ProviderClient, attempt: AttemptRow) -> list[WebhookReading]:
        """Read the newest deliveries, newest first; none of a provider that does not sign."""
        if capabilities(client.name).webhook is not Webhook.SIGNED:
            return []
        found = []
        for kept in (await self.store.read(unconfirmed.telling, attempt.id))[:READ_AT_ONCE]:
            reading = await client.read_webhook(WebhookMessage(kept.body or b"", kept.headers, kept.received_at))
            metrics.webhook_signatures.labels(client.name, reading.signature.name.lower()).inc()
            if reading.signature is Signature.GOOD:
                seen = SeenAnswer(200, "application/json", kept.body)
                self.answered(client.name, [seen], f"webhook: {type(reading.report).__name__.lower()}")
            found.append(reading)
        return found

    async def report(self, client: ProviderClient, attempt: AttemptRow, job: Handle) -> Report | None:
        """Give the end of a job as the signed webhook tells it that woke the attempt; None where a check must tell."""
        if not capabilities(client.name).webhook_is_report or decide.prompted_by(attempt) is not DetectedBy.WEBHOOK:
            return None
        for reading in await self.readings(client, attempt):
            if reading.proves and reading.job is not None and reading.job.id == job.id:
                return reading.report if isinstance(reading.report, Ready | Failed) else None
        return None
