"""fal's queue: a submission, a status, and a result that is a request of its own, whose HTTP status is the verdict."""

from dataclasses import replace
from urllib.parse import quote, urlencode, urlsplit

from providers.base import BeforeFirstByte, Order, ProviderClient, WebhookMessage
from providers.capabilities import Given
from providers.fal.answers import FalAnswers, job_in
from providers.fal.capabilities import CAPABILITIES
from providers.fal.keys import KeySet
from providers.http.account import Account
from providers.http.client import NoResponse, ProviderHttp
from providers.http.responses import Response
from providers.http.submission import Submissions
from providers.parsing.json import decode
from providers.parsing.questions import ask_account
from providers.parsing.status import UnknownStatus, ignore
from providers.prompt_motions import utf16_units, whole_prompt
from providers.reports import (
    CancelAnswer,
    CancelResult,
    Handle,
    Refused,
    Report,
    Signature,
    SubmissionOutcome,
    Unavailable,
    WebhookReading,
)
from schemas.names import ErrorCode

PAST_REQUESTS = "/v1/models/requests/by-endpoint"


class Fal(ProviderClient):
    """Submits pictures, asks about their videos, and reads signed webhooks."""

    name = CAPABILITIES.name
    wants_bytes = CAPABILITIES.wants_bytes

    def __init__(self, given: Given, unknown_status: UnknownStatus = ignore) -> None:
        key = given.credentials["key"]
        self._options = given.options
        self._start_by = max(1, int(given.job_timeout))
        self._account = Account.of(CAPABILITIES, given, {"Authorization": f"Key {key}"})
        self._answers = FalAnswers(self._account, unknown_status)
        self._submissions = Submissions(self._account)
        self._checks = ProviderHttp(self._account)
        self._platform = ProviderHttp(self._elsewhere(given.options["platform_url"], "platform_url"))
        # The keys are public: our own stays here.
        keys = urlsplit(given.options["keys_url"])
        self._key_http = ProviderHttp(
            replace(self._elsewhere(f"{keys.scheme}://{keys.netloc}", "keys_url"), credentials={})
        )
        self._keys = KeySet(self._key_http, keys.path)
        self._user_id = given.options["account"]

    async def submit(self, order: Order, *, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
        """Ask for a video. Raises ValueError for an order without a picture's address."""
        if order.image_url is None:
            raise ValueError("fal takes the address of a picture")
        prompt = whole_prompt(CAPABILITIES.motions[order.motion], order.prompt)
        if utf16_units(prompt) > (CAPABILITIES.prompt_limit or 0):
            return Refused(ErrorCode.REQUEST_REJECTED, f"the prompt is longer than {CAPABILITIES.prompt_limit}")
        query = f"?{urlencode({'fal_webhook': order.webhook_url})}" if order.webhook_url else ""
        answer = await self._submissions.post(
            f"/{quote(self._options['model'])}{query}",
            before_first_byte=before_first_byte,
            json=self._input(order.image_url, prompt),
            headers={"X-Fal-Request-Timeout": str(self._start_by)},
        )
        return self._answers.acceptance(answer) if isinstance(answer, Response) else answer

    async def check(self, job: Handle) -> Report:
        """Read the state of a video, and its result where it is completed."""
        try:
            status = await self._checks.get(f"{self._path(job, 'status_url', '/status')}?logs=0")
            report = self._answers.status(status)
            if report is not None:
                return report
            result = await self._checks.get(self._path(job, "response_url", ""))
        except NoResponse as error:
            return Unavailable(str(error))
        return self._answers.result(result, self._answers.document(status))

    async def cancel(self, job: Handle) -> CancelAnswer:
        """Take a job out of the queue, or wish that it ends."""
        try:
            answer = await self._checks.put(self._path(job, "cancel_url", "/cancel"))
        except NoResponse as error:
            return CancelAnswer(CancelResult.UNKNOWN, str(error))
        return self._answers.cancelled(answer)

    async def read_webhook(self, message: WebhookMessage) -> WebhookReading:
        """Verify a delivery. fal's keys sign for all of its customers, so whose account it is counts too."""
        document = decode(message.body)
        job = job_in(document)
        signature = await self._keys.verify(message)
        if signature is Signature.GOOD:
            signature = self._whose(message.headers["x-fal-webhook-user-id"], job)
        report = self._answers.webhook(document) if isinstance(document, dict) else None
        return WebhookReading(signature, Handle(job) if job else None, report)

    async def verify(self) -> str:
        """List the newest past request, which costs nothing."""
        query = urlencode({"endpoint_id": self._options["model"], "limit": 1})
        await ask_account(self._platform, f"{PAST_REQUESTS}?{query}", self._answers, field="items", kind=list)
        return f"fal knows the key (model {self._options['model']})"

    async def close(self) -> None:
        """Close every connection."""
        for http in (self._checks, self._platform, self._key_http):
            await http.close()

    def _elsewhere(self, url: str, setting: str) -> Account:
        return replace(self._account, base_url=url, url_setting=CAPABILITIES.variable(setting))

    def _input(self, image_url: str, prompt: str) -> dict[str, object]:
        given = {"prompt": prompt} | {name: self._options[name] for name in ("duration", "resolution")}
        return {self._options["image_field"]: image_url, **{name: value for name, value in given.items() if value}}

    def _path(self, job: Handle, name: str, end: str) -> str:
        """Give the address that fal gave, or the one that its own client builds."""
        given = self._account.path_of(job.details.get(name))
        if given is not None:
            return given.partition("?")[0]
        owner_and_app = "/".join(self._options["model"].split("/")[:2])
        return f"/{quote(owner_and_app)}/requests/{quote(job.id, safe='')}{end}"

    def _whose(self, user_id: str, job: str | None) -> Signature:
        """Compare with our account's id, or learn it from the first delivery for a job that fal named to us."""
        if not self._user_id and job is not None and self._answers.was_named(job):
            self._user_id = user_id
        if not self._user_id:
            return Signature.UNCHECKED
        return Signature.GOOD if user_id == self._user_id else Signature.FOREIGN


build = Fal
"""Builds the client from what the operator gave."""
