"""HomeDesigns.ai's video generation, API version 2, as its public documentation describes it.

It takes the picture itself, calls nobody back, and documents neither its failures nor a refund.
"""

import re
from functools import partial
from io import BytesIO
from urllib.parse import quote

import aiohttp
from aiohttp.payload import BytesIOPayload, StringPayload

from providers.base import BeforeFirstByte, Order, ProviderClient, VerificationFailed
from providers.capabilities import Given
from providers.homedesigns.capabilities import CAPABILITIES
from providers.http.account import Account
from providers.http.client import NoResponse, ProviderHttp
from providers.http.responses import Response
from providers.http.submission import Submissions
from providers.parsing.fields import describe_counts, job_id_in, subscription_in
from providers.parsing.json import decode
from providers.parsing.status import Reader, UnknownStatus, describe_response, ignore, refusal_text
from providers.parsing.submission import interpret_status, refused_by_body, unreadable
from providers.reports import Accepted, Handle, Report, SubmissionOutcome, Unavailable

GENERATE = "/api/v2/video_generation"
STATUS = "/api/v2/video_generation/status_check/"
USER_INFO = "/api/v2/user_info"

_ID_KEYS = ("id", "queue_id", "queueid")
_FILE_NAMES = {"image/png": "picture.png", "image/jpeg": "picture.jpg"}
# The documentation's own example of an account ends a list so.
_TRAILING_COMMA = re.compile(rb",(\s*[\]}])")


class HomeDesigns(ProviderClient):
    """Submits pictures, asks about their videos, and keeps nothing but its connections."""

    name = CAPABILITIES.name
    wants_bytes = CAPABILITIES.wants_bytes

    def __init__(self, given: Given, unknown_status: UnknownStatus = ignore) -> None:
        secret = given.credentials["token"]
        self._account = Account.of(CAPABILITIES, given, {"Authorization": f"Bearer {secret}"})
        self._reader = Reader(self._account, unknown_status)
        self._checks = ProviderHttp(self._account)
        self._submissions = Submissions(self._account)

    async def submit(self, order: Order, *, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
        """Ask for a video of the order's picture. Raises ValueError for an order without a picture."""
        if order.image is None or order.content_type not in _FILE_NAMES:
            raise ValueError("HomeDesigns takes the bytes of a PNG or JPEG")
        answer = await self._submissions.post(
            GENERATE, before_first_byte=before_first_byte, form=partial(_form, order, order.image)
        )
        return self._parse_acceptance(answer) if isinstance(answer, Response) else answer

    async def check(self, job: Handle) -> Report:
        """Read the state of a video."""
        try:
            answer = await self._checks.get(STATUS + quote(job.id, safe=""))
        except NoResponse as error:
            return Unavailable(str(error))
        return self._reader.report(answer)

    async def verify(self) -> str:
        """Ask for the account's plan; its holder's name and address are dropped unread."""
        try:
            answer = await self._checks.get(USER_INFO)
        except NoResponse as error:
            raise VerificationFailed(f"{error}: check REELBUS_HOMEDESIGNS_URL") from error
        if answer.status in (401, 403):
            raise VerificationFailed(f"{describe_response(answer, self._account)}: check REELBUS_HOMEDESIGNS_TOKEN")
        document = decode(_TRAILING_COMMA.sub(rb"\1", answer.body or b""))
        if not answer.is_success or not isinstance(document, dict):
            head = f"HomeDesigns answered {answer.status}"
            raise VerificationFailed(f"{head}, which is no account: check REELBUS_HOMEDESIGNS_URL")
        words = refusal_text(document)
        if words is not None:
            raise VerificationFailed(
                f"{refused_by_body(words, self._account).message}: check REELBUS_HOMEDESIGNS_TOKEN"
            )
        return f"HomeDesigns knows the account ({describe_counts(subscription_in(document))})"

    async def close(self) -> None:
        """Close every connection."""
        await self._checks.close()

    def _parse_acceptance(self, answer: Response) -> SubmissionOutcome:
        refusal = interpret_status(answer, self._account)
        if refusal is not None:
            return refusal
        document = decode(answer.body)
        words = refusal_text(document)
        if words is not None:
            return refused_by_body(words, self._account)
        job_id = job_id_in(document, _ID_KEYS)
        finished = self._reader.finished(self._reader.classify(document))
        if job_id is None and finished is None:
            return unreadable(self._account)
        return Accepted(job_id, None, finished)


build = HomeDesigns
"""Builds the client from what the operator gave."""


def _form(order: Order, image: bytes) -> aiohttp.MultipartWriter:
    kind = order.content_type or ""
    # As a file, so that it is written piece by piece.
    picture = BytesIOPayload(BytesIO(image), content_type=kind)
    picture.set_content_disposition("form-data", name="image", filename=_FILE_NAMES[kind])
    tool = StringPayload(CAPABILITIES.motions[order.motion].wire)
    tool.headers.popall("Content-Type")
    tool.set_content_disposition("form-data", name="tool_name")
    form = aiohttp.MultipartWriter("form-data")
    form.append_payload(picture)
    form.append_payload(tool)
    return form
