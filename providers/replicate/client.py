"""Replicate's predictions: created, asked about, cancelled, searched for, and told of by signed webhooks."""

from datetime import UTC, datetime
from math import ceil
from urllib.parse import quote, urlencode

from providers.base import BeforeFirstByte, LostSubmission, Order, ProviderClient, WebhookMessage
from providers.capabilities import Given
from providers.http.account import Account
from providers.http.client import NoResponse, ProviderHttp
from providers.http.responses import Response
from providers.http.submission import Submissions
from providers.parsing.fields import job_id_in
from providers.parsing.json import decode
from providers.parsing.questions import ask_account, ask_job
from providers.parsing.status import UnknownStatus, ignore
from providers.prompt_motions import whole_prompt
from providers.replicate.answers import NAME_PARAMETER, ReplicateAnswers
from providers.replicate.capabilities import CAPABILITIES
from providers.replicate.secret import WebhookSecret
from providers.reports import (
    CancelAnswer,
    CancelResult,
    Handle,
    LookupAnswer,
    NotFound,
    Report,
    SubmissionOutcome,
    Unavailable,
    WebhookReading,
)

SEARCHED_BEFORE = 60.0
"""Seconds before its submission from which a prediction is searched for: clocks differ."""

SEARCHED_PAGES = 5


class Replicate(ProviderClient):
    """Creates predictions and keeps nothing but its connections and the webhooks' secret."""

    name = CAPABILITIES.name
    wants_bytes = CAPABILITIES.wants_bytes

    def __init__(self, given: Given, unknown_status: UnknownStatus = ignore) -> None:
        token = given.credentials["token"]
        self._account = Account.of(CAPABILITIES, given, {"Authorization": f"Bearer {token}"})
        self._options = given.options
        self._end_by = f"{ceil(given.job_timeout / 60)}m"
        self._answers = ReplicateAnswers(self._account, unknown_status)
        self._submissions = Submissions(self._account)
        self._checks = ProviderHttp(self._account)
        self._secret = WebhookSecret(self._checks, self._answers)

    async def submit(self, order: Order, *, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
        """Create a prediction. Raises ValueError for an order without a picture's address."""
        if order.image_url is None:
            raise ValueError("Replicate takes the address of a picture")
        body: dict[str, object] = {"input": self._input(order, order.image_url)}
        if order.webhook_url:
            # Replicate keeps a query, and gives the address back when it is searched: so our name is found there.
            named = f"{order.webhook_url}?{urlencode({NAME_PARAMETER: order.name})}"
            body |= {"webhook": named, "webhook_events_filter": ["start", "completed"]}
        answer = await self._submissions.post(
            f"/v1/models/{quote(self._options['model'])}/predictions",
            before_first_byte=before_first_byte,
            json=body,
            headers={"Cancel-After": self._end_by},
        )
        return self._answers.acceptance(answer) if isinstance(answer, Response) else answer

    async def check(self, job: Handle) -> Report:
        """Read the state of a prediction."""
        return await ask_job(self._checks, _path(job), self._answers, report=self._answers.report)

    async def cancel(self, job: Handle) -> CancelAnswer:
        """End a prediction; what it ran until then is charged."""
        try:
            answer = await self._checks.post(f"{_path(job)}/cancel", None)
        except NoResponse as error:
            return CancelAnswer(CancelResult.UNKNOWN, str(error))
        return self._answers.cancelled(answer)

    async def lookup(self, lost: LostSubmission) -> LookupAnswer:
        """Search the newest predictions for one whose webhook's address bears the submission's name."""
        after = datetime.fromtimestamp(lost.sent_at - SEARCHED_BEFORE, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        path: str | None = f"/v1/predictions?{urlencode({'created_after': after})}"
        for _ in range(SEARCHED_PAGES):
            try:
                answer = await self._checks.get(path or "")
            except NoResponse as error:
                return Unavailable(str(error))
            page = self._answers.document(answer)
            results = page.get("results")
            if not answer.is_success or not isinstance(results, list):
                return self._answers.no_answer(answer)
            found = self._answers.named(lost.name, results, answer)
            if found is not None:
                return found
            path = self._account.path_of(page.get("next"))
            if path is None:
                break
        return NotFound("no prediction of this name is in the list")

    async def read_webhook(self, message: WebhookMessage) -> WebhookReading:
        """Verify a delivery by the account's secret, which is fetched, and again when it seems to have changed."""
        signature = await self._secret.verify(message)
        document = decode(message.body)
        job = job_id_in(document, ("id",)) if isinstance(document, dict) else None
        if job is None or not isinstance(document, dict):
            return WebhookReading(signature)
        return WebhookReading(signature, Handle(job), self._answers.report(document, None))

    async def verify(self) -> str:
        """Ask for the account, which costs nothing."""
        kind = await ask_account(self._checks, "/v1/account", self._answers, field="type", kind=str)
        return f"Replicate knows the token (of an account of type {self._answers.clean(kind)})"

    async def close(self) -> None:
        """Close every connection."""
        await self._checks.close()

    def _input(self, order: Order, image_url: str) -> dict[str, object]:
        given = {name: self._options[name] for name in ("duration", "resolution")}
        given["prompt"] = whole_prompt(CAPABILITIES.motions[order.motion], order.prompt)
        typed = {name: int(text) if text.isdecimal() else text for name, text in given.items() if text}
        return {self._options["image_field"]: image_url, **typed}


def _path(job: Handle) -> str:
    return f"/v1/predictions/{quote(job.id, safe='')}"


build = Replicate
"""Builds the client from what the operator gave."""
