"""Replicate's predictions: created, asked about, cancelled, searched for, and told of by signed webhooks."""

import asyncio
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from math import ceil
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from providers.base import BeforeFirstByte, LostSubmission, Order, ProviderClient, VerificationFailed, WebhookMessage
from providers.capabilities import Given
from providers.http.account import Account
from providers.http.client import NoResponse, ProviderHttp
from providers.http.responses import Response
from providers.http.submission import Submissions
from providers.parsing.answers import Answers
from providers.parsing.error_text import is_web_page, response_text
from providers.parsing.fields import job_id_in
from providers.parsing.json import decode
from providers.parsing.signatures import standard_signature
from providers.parsing.status import UnknownStatus, describe_response, ignore
from providers.parsing.submission import interpret_status, unreadable
from providers.prompt_motions import whole_prompt
from providers.replicate.capabilities import CAPABILITIES
from providers.reports import (
    Accepted,
    CancelAnswer,
    CancelResult,
    Doubtful,
    Failed,
    Found,
    Handle,
    LookupAnswer,
    NotAcceptedYet,
    NotFound,
    Ready,
    Refused,
    Report,
    Signature,
    SubmissionOutcome,
    Unavailable,
    UnknownJob,
    WebhookReading,
    Working,
)
from schemas.names import ErrorCode, RefundStatus
from schemas.video import Refund

SECRET_ASKED_SECONDS = 180.0
"""The webhooks' secret is fetched no more often, whatever comes in."""

SEARCHED_BEFORE = 60.0
"""Seconds before its submission from which a prediction is searched for: clocks differ."""

SEARCHED_PAGES = 5

_NAME = "reelbus"
_NOT_CHARGED = Refund(status=RefundStatus.NOT_CHARGED, credits=0)
_RESETS_IN = re.compile(r"resets in ~?(\d{1,4})s")
_FINISHED = frozenset({"succeeded", "failed", "canceled", "aborted"})


class Replicate(ProviderClient):
    """Creates predictions and keeps nothing but its connections and the webhooks' secret."""

    name = CAPABILITIES.name
    wants_bytes = CAPABILITIES.wants_bytes

    def __init__(self, given: Given, unknown_status: UnknownStatus = ignore) -> None:
        token = given.credentials["token"]
        self._account = Account(
            label=CAPABILITIES.label,
            base_url=given.url,
            url_setting="REELBUS_REPLICATE_URL",
            key_setting="REELBUS_REPLICATE_TOKEN",
            timeout=given.timeout,
            allow_private_outputs=given.allow_private_outputs,
            credentials={"Authorization": f"Bearer {token}"},
            secrets=(token,),
        )
        self._options = given.options
        self._end_by = f"{ceil(given.job_timeout / 60)}m"
        self._answers = Answers(self._account, unknown_status)
        self._submissions = Submissions(self._account)
        self._checks = ProviderHttp(self._account)
        self._secret: str | None = None
        self._secret_asked_at: float | None = None
        self._secret_turn = asyncio.Lock()

    async def submit(self, order: Order, *, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
        """Create a prediction. Raises ValueError for an order without a picture's address."""
        if order.image_url is None:
            raise ValueError("Replicate takes the address of a picture")
        body: dict[str, object] = {"input": self._input(order, order.image_url)}
        if order.webhook_url:
            # Replicate keeps a query, and gives the address back when it is searched: so our name is found there.
            named = f"{order.webhook_url}?{urlencode({_NAME: order.name})}"
            body |= {"webhook": named, "webhook_events_filter": ["start", "completed"]}
        answer = await self._submissions.post(
            f"/v1/models/{quote(self._options['model'])}/predictions",
            before_first_byte=before_first_byte,
            json=body,
            headers={"Cancel-After": self._end_by},
        )
        return self._acceptance(answer) if isinstance(answer, Response) else answer

    async def check(self, job: Handle) -> Report:
        """Read the state of a prediction."""
        try:
            answer = await self._checks.get(_path(job))
        except NoResponse as error:
            return Unavailable(str(error))
        if answer.status in (404, 410) and not is_web_page(answer.body):
            return UnknownJob(describe_response(answer, self._account))
        return self._report(self._answers.document(answer), answer) if _is_good(answer) else self._none(answer)

    async def cancel(self, job: Handle) -> CancelAnswer:
        """End a prediction; what it ran until then is charged."""
        try:
            answer = await self._checks.post(f"{_path(job)}/cancel", None)
        except NoResponse as error:
            return CancelAnswer(CancelResult.UNKNOWN, str(error))
        word = self._answers.document(answer).get("status")
        if not _is_good(answer) or not isinstance(word, str):
            return CancelAnswer(CancelResult.UNKNOWN, describe_response(answer, self._account))
        if word == "aborted":
            return CancelAnswer(CancelResult.DONE, "aborted before it started", _NOT_CHARGED)
        if word == "canceled":
            return CancelAnswer(CancelResult.DONE, "canceled; the time that it ran is charged")
        finished = word in _FINISHED
        return CancelAnswer(CancelResult.TOO_LATE if finished else CancelResult.WISHED, self._answers.clean(word))

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
            if not _is_good(answer) or not isinstance(results, list):
                return self._none(answer)
            for one in results:
                if isinstance(one, dict) and _name_in(one.get("webhook")) == lost.name:
                    job = job_id_in(one, ("id",))
                    return Found(Handle(job), self._report(one, answer)) if job else Unavailable("it has no id")
            path = self._account.path_of(page.get("next"))
            if path is None:
                break
        return NotFound("no prediction of this name is in the list")

    async def read_webhook(self, message: WebhookMessage) -> WebhookReading:
        """Verify a delivery by the account's secret, which is fetched, and again when it seems to have changed."""
        signature = standard_signature([self._secret] if self._secret else [], message)
        if signature is Signature.WRONG:
            await self._fetch_secret()
            signature = standard_signature([self._secret], message) if self._secret else Signature.UNCHECKED
        document = decode(message.body)
        job = job_id_in(document, ("id",)) if isinstance(document, dict) else None
        if job is None or not isinstance(document, dict):
            return WebhookReading(signature)
        return WebhookReading(signature, Handle(job), self._report(document, None))

    async def verify(self) -> str:
        """Ask for the account, which costs nothing."""
        try:
            answer = await self._checks.get("/v1/account")
        except NoResponse as error:
            raise VerificationFailed(f"{error}: check REELBUS_REPLICATE_URL") from error
        kind = self._answers.document(answer).get("type")
        if answer.status != 200 or not isinstance(kind, str):
            raise VerificationFailed(f"{describe_response(answer, self._account)}: check REELBUS_REPLICATE_TOKEN")
        return f"Replicate knows the token (of an account of type {self._answers.clean(kind)})"

    async def close(self) -> None:
        """Close every connection."""
        await self._checks.close()

    def _input(self, order: Order, image_url: str) -> dict[str, object]:
        given = {name: self._options[name] for name in ("duration", "resolution")}
        given["prompt"] = whole_prompt(CAPABILITIES.motions[order.motion], order.prompt)
        typed = {name: int(text) if text.isdecimal() else text for name, text in given.items() if text}
        return {self._options["image_field"]: image_url, **typed}

    def _acceptance(self, answer: Response) -> SubmissionOutcome:
        text = response_text(answer.body)
        if answer.status == 429:
            resets = _RESETS_IN.search(text)
            wait = answer.retry_after or (float(resets[1]) if resets else None)
            return NotAcceptedYet(describe_response(answer, self._account), wait, throttled=True)
        if answer.status == 422 and "not permitted" in text:
            mend = "check REELBUS_REPLICATE_MODEL, and that the account has a payment method"
            return Refused(ErrorCode.REQUEST_REJECTED, f"{describe_response(answer, self._account)}: {mend}")
        refusal = interpret_status(answer, self._account)
        if refusal is not None:
            return refusal
        document = self._answers.document(answer)
        job = job_id_in(document, ("id",))
        if job is None:
            return unreadable(self._account)
        report = self._report(document, answer)
        return Accepted(job, finished=report if isinstance(report, Ready | Failed) else None)

    def _report(self, prediction: Mapping[str, object], answer: Response | None) -> Report:  # noqa: PLR0911 - a table
        """Read a prediction. An output counts only under a final state."""
        word = prediction.get("status")
        error = self._answers.clean(prediction.get("error"))
        match word:
            case "starting" | "processing":
                return Working()
            case "succeeded":
                return self._output(prediction)
            case "failed":
                return Failed(error or "Replicate reports failed and gives no reason")
            case "canceled":
                return Failed(error or "the prediction was canceled", cancelled=True)
            case "aborted":
                evidence = "its pages: aborted predictions are not charged"
                return Failed(error or "aborted before it started", refund=_NOT_CHARGED, evidence=evidence)
            case str():
                return self._answers.unheard(word)
            case _:
                return self._none(answer) if answer else Unavailable("the webhook names no state")

    def _output(self, prediction: Mapping[str, object]) -> Report:
        output = prediction.get("output")
        if prediction.get("data_removed") is True and output is None:
            fault = "Replicate has removed the output; it keeps one for an hour"
            return Doubtful(ErrorCode.RESULT_INVALID, fault, final=True)
        if isinstance(output, dict):
            output = output.get("video", output.get("url"))
        return self._answers.ready(output if isinstance(output, list) else [output])

    def _none(self, answer: Response) -> Unavailable:
        return self._answers.no_answer(answer)

    async def _fetch_secret(self) -> None:
        async with self._secret_turn:
            now = time.monotonic()
            if self._secret_asked_at is not None and now - self._secret_asked_at < SECRET_ASKED_SECONDS:
                return
            self._secret_asked_at = now
            try:
                answer = await self._checks.get("/v1/webhooks/default/secret")
            except NoResponse:
                return
            key = self._answers.document(answer).get("key")
            if answer.status == 200 and isinstance(key, str):
                self._secret = key


def _path(job: Handle) -> str:
    return f"/v1/predictions/{quote(job.id, safe='')}"


def _name_in(webhook: object) -> str | None:
    """Find our own name for a submission in a webhook's address."""
    query = urlsplit(webhook).query if isinstance(webhook, str) and len(webhook) <= 2048 else ""
    return dict(parse_qsl(query, max_num_fields=10)).get(_NAME)


def _is_good(answer: Response) -> bool:
    return 200 <= answer.status < 300


build = Replicate
"""Builds the client from what the operator gave."""
