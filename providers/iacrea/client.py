"""IACrea's animation API, version 2, as its public documentation describes it.

Credits are taken when a job is submitted. Retrieving is a POST too, and costs nothing.
"""

from providers.base import BeforeFirstByte, Order, ProviderClient, VerificationFailed
from providers.capabilities import Given
from providers.http.account import Account
from providers.http.client import NoResponse, ProviderHttp
from providers.http.responses import Response
from providers.http.submission import Submissions
from providers.iacrea.capabilities import CAPABILITIES
from providers.parsing.fields import count_in, describe_counts, job_id_in
from providers.parsing.json import decode
from providers.parsing.status import Reader, UnknownStatus, describe_response, ignore, refusal_text
from providers.parsing.submission import interpret_status, refused_by_body, unreadable
from providers.reports import Accepted, Handle, Report, SubmissionOutcome, Unavailable
from schemas.names import Motion

GENERATE = "/api/animation/v2/generate"
GET = "/api/animation/v2/get"
CREDIT = "/api/account/credit"

_ID_KEYS = ("generation_id", "generationid", "id")
_REMAINING_KEYS = ("remaining_videos", "remainingvideos")
_WITHOUT_PROMPT = frozenset({Motion.AUTO, Motion.AUTO_REVERSE})


class Iacrea(ProviderClient):
    """Submits animations, asks about them, and keeps nothing but its connections."""

    name = CAPABILITIES.name
    wants_bytes = CAPABILITIES.wants_bytes

    def __init__(self, given: Given, unknown_status: UnknownStatus = ignore) -> None:
        key = given.credentials["api_key"]
        self._account = Account.of(CAPABILITIES, given, {"x-api-key": key})
        self._user_id = given.credentials["user_id"]
        # Only FAILED is documented, and only that promises the refund.
        self._reader = Reader(self._account, unknown_status, frozenset({"failed"}))
        self._checks = ProviderHttp(self._account)
        self._submissions = Submissions(self._account)

    async def submit(self, order: Order, *, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
        """Ask for an animation; IACrea calls the order's webhook when it is over.

        Raises ValueError for an order without a picture's address.
        """
        if order.image_url is None:
            raise ValueError("IACrea takes the address of a picture")
        answer = await self._submissions.post(GENERATE, before_first_byte=before_first_byte, json=self._payload(order))
        return self._parse_acceptance(answer) if isinstance(answer, Response) else answer

    async def check(self, job: Handle) -> Report:
        """Read the state of an animation."""
        question = {"user_id": self._user_id, "generation_id": job.id}
        try:
            answer = await self._checks.post(GET, question)
        except NoResponse as error:
            return Unavailable(str(error))
        return self._reader.report(answer)

    async def verify(self) -> str:
        """Ask for the account's credits."""
        try:
            answer = await self._checks.post(CREDIT, {"user_id": self._user_id})
        except NoResponse as error:
            raise VerificationFailed(f"{error}: check REELBUS_IACREA_URL") from error
        if answer.status in (400, 401, 403):
            mend = "check REELBUS_IACREA_API_KEY and REELBUS_IACREA_USER_ID, which belong together"
            raise VerificationFailed(f"{describe_response(answer, self._account)}: {mend}")
        document = decode(answer.body)
        if not answer.is_success or not isinstance(document, dict):
            fault = "which is no account: check REELBUS_IACREA_URL"
            raise VerificationFailed(f"{describe_response(answer, self._account)}, {fault}")
        words = refusal_text(document)
        if words is not None:
            raise VerificationFailed(f"{refused_by_body(words, self._account).message}: check REELBUS_IACREA_USER_ID")
        return f"IACrea knows the account ({describe_counts(document)})"

    async def close(self) -> None:
        """Close every connection."""
        await self._checks.close()

    def _payload(self, order: Order) -> dict[str, object]:
        wish: dict[str, object] = {
            "user_id": self._user_id,
            "image_urls": [order.image_url],
            "option": CAPABILITIES.motions[order.motion].wire,
            "format": order.orientation.value,
            "webhook": order.webhook_url,
        }
        if order.prompt and order.motion not in _WITHOUT_PROMPT:
            wish["prompt"] = order.prompt
        return wish

    def _parse_acceptance(self, answer: Response) -> SubmissionOutcome:
        refusal = interpret_status(answer, self._account)
        if refusal is not None:
            return refusal
        document = decode(answer.body)
        job_id = job_id_in(document, _ID_KEYS)
        if job_id is not None:
            finished = self._reader.finished(self._reader.classify(document))
            return Accepted(job_id, count_in(document, _REMAINING_KEYS), finished)
        words = refusal_text(document)
        return unreadable(self._account) if words is None else refused_by_body(words, self._account)


build = Iacrea
"""Builds the client from what the operator gave."""
