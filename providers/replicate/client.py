"""Replicate's predictions: created, asked about, cancelled, searched for, and told of by signed webhooks."""

from datetime import UTC, datetime
from math import ceil
from urllib.parse import quote, urlencode

from providers.base import LostSubmission, Order, WebhookMessage
from providers.capabilities import Given
from providers.http.client import NoResponse
from providers.kit import AccountQuestion, KitClient, Wish, ask_to_cancel
from providers.parsing.fetched_keys import FetchedKeys
from providers.parsing.signatures import standard_signature
from providers.parsing.status import UnknownStatus, ignore
from providers.replicate.answers import NAME_PARAMETER, ReplicateAnswers
from providers.replicate.capabilities import CAPABILITIES
from providers.reports import CancelAnswer, Handle, LookupAnswer, NotFound, Signature, Unavailable

SEARCHED_BEFORE = 60.0
"""Seconds before its submission from which a prediction is searched for: clocks differ."""

SEARCHED_PAGES = 5


class Replicate(KitClient[ReplicateAnswers]):
    """Creates predictions and keeps nothing but its connections and the webhooks' secret."""

    record = CAPABILITIES
    jobs_path = "/v1/predictions"
    account_question = AccountQuestion("/v1/account", "type", str, "type of account")

    def __init__(self, given: Given, unknown_status: UnknownStatus = ignore) -> None:
        super().__init__(given, ReplicateAnswers, unknown_status)
        self._end_by = f"{ceil(given.job_timeout / 60)}m"
        self._secrets = FetchedKeys(self.checks, "/v1/webhooks/default/secret", _secrets_in)

    def wish(self, order: Order, image_url: str, prompt: str) -> Wish:
        """Write the prediction to create."""
        wanted = {"prompt": prompt} | {name: self.option(name) for name in ("duration", "resolution")}
        given = {name: value for name, value in wanted.items() if value != ""}
        body: dict[str, object] = {"input": {self.options["image_field"]: image_url, **given}}
        if order.webhook_url:
            # Replicate keeps a query, and gives the address back when it is searched: so our name is found there.
            named = f"{order.webhook_url}?{urlencode({NAME_PARAMETER: order.name})}"
            body |= {"webhook": named, "webhook_events_filter": ["start", "completed"]}
        path = f"/v1/models/{quote(self.options['model'])}/predictions"
        return Wish(path, body, {"Cancel-After": self._end_by})

    async def cancel(self, job: Handle) -> CancelAnswer:
        """End a prediction; what it ran until then is charged."""
        return await ask_to_cancel(self.checks.post(f"{self.path(job)}/cancel", None), self.answers.cancelled)

    async def lookup(self, lost: LostSubmission) -> LookupAnswer:
        """Search the newest predictions for one whose webhook's address bears the submission's name."""
        after = datetime.fromtimestamp(lost.sent_at - SEARCHED_BEFORE, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        path: str | None = f"{self.jobs_path}?{urlencode({'created_after': after})}"
        for _ in range(SEARCHED_PAGES):
            try:
                answer = await self.checks.get(path or "")
            except NoResponse as error:
                return Unavailable(str(error))
            page = self.answers.document(answer)
            results = page.get("results")
            if not answer.is_success or not isinstance(results, list):
                return self.answers.no_answer(answer)
            found = self.answers.named(lost.name, results, answer)
            if found is not None:
                return found
            path = self.account.path_of(page.get("next"))
            if path is None:
                break
        return NotFound("no prediction of this name is in the list")

    async def signature(self, message: WebhookMessage) -> Signature:
        """Verify a delivery by the account's secret, which is fetched, and again when it seems to have changed."""
        return await self._secrets.verify(lambda secrets: standard_signature(secrets, message))


def _secrets_in(document: object) -> list[str]:
    key = document.get("key") if isinstance(document, dict) else None
    return [key] if isinstance(key, str) else []


build = Replicate
"""Builds the client from what the operator gave."""
