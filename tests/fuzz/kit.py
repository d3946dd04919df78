"""Generated answers and webhooks for the providers of the kit: none makes a client raise, lie, or trust a stranger."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from hypothesis import strategies as st

from providers.base import LostSubmission, ProviderClient, WebhookMessage
from providers.capabilities import Cancel, Given, Lookup, Webhook
from providers.fal.keys import KeySet
from providers.http.client import ProviderHttp
from providers.http.responses import Response
from providers.http.submission import Submissions
from providers.parsing.fetched_keys import FetchedKeys
from providers.registry import PROVIDERS
from providers.reports import Accepted, CancelResult, Found, Handle, Ready, Signature
from schemas.addresses import output_url_usable
from schemas.names import Provider
from tests.providers.orders import Marker, an_order

NAMES = ("fal", "kling", "replicate", "runway")
NOW = 1763700000.0

_texts = st.text(st.characters(exclude_categories=()), max_size=40)
_keys = st.sampled_from(
    [
        "id", "task_id", "request_id", "status", "task_status", "code", "data", "message", "error", "detail",
        "output", "outputs", "video", "url", "type", "billing", "amount", "payload", "error_type", "failure",
        "failureCode", "results", "next", "webhook", "task_info", "external_task_id", "external_id", "keys",
        "x", "kty", "crv", "key", "urls", "task_result", "videos", "final_unit_deduction", "data_removed",
        "items", "creditBalance",
    ]
)  # fmt: skip
_said = st.sampled_from(
    [
        "succeeded", "succeed", "failed", "processing", "COMPLETED", "IN_QUEUE", "IN_PROGRESS", "OK", "ERROR",
        "SUCCEEDED", "FAILED", "RUNNING", "THROTTLED", "CANCELLED", "CANCELLATION_REQUESTED",
        "ALREADY_COMPLETED", "canceled", "aborted", "starting", "submitted", "video", "OKP", "Ed25519",
        "name-1", "job-1", "SAFETY.INPUT", "0", "1e999", "NaN", "https://a.example/v.mp4",
        "http://10.0.0.1/v.mp4", "https://x.example/?reelbus=name-1", "whsec_YWJj", "whsec_", "=",
    ]
)  # fmt: skip
_values = (
    st.none() | st.booleans() | st.integers() | st.floats() | _texts | _said | st.sampled_from([0, 1102, 1201, 1303])
)
_documents = st.recursive(
    _values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys | _texts, inner, max_size=7),
    max_leaves=25,
)
_bodies = (
    _documents.map(lambda document: json.dumps(document).encode("utf-8", "replace"))
    | st.binary(max_size=100)
    | st.sampled_from([b"", b"<html>502</html>", b"[" * 50_000, b'{"a":' * 20_000, b"\xff\xfe"])
)
_headers = st.dictionaries(
    st.sampled_from(sorted({name for each in PROVIDERS.values() for name in each.webhook_headers})),
    _texts | st.sampled_from(["v1,zz", "v1,", "v1,=== v2,AAAA", "1763700000", "00", "-1", "9" * 5000, "0" * 128]),
    max_size=7,
)
_statuses = st.sampled_from(
    [200, 200, 200, 201, 202, 204, 302, 400, 401, 402, 403, 404, 410, 422, 429, 500, 502, 503, 504]
)

exchanges = st.tuples(_statuses, _bodies | st.none(), _headers)
"""A status, a body, and a webhook's headers."""


@dataclass
class _Canned:
    """What every request is answered."""

    account: Any = None
    answer: Response = field(default_factory=lambda: Response(200, b"{}"))

    async def get(self, _path: str) -> Response:
        return self.answer

    put = delete = get

    async def post(self, _path: str, _document: object = None, **_more: object) -> Response:
        return self.answer


def _places(held: object) -> list[object]:
    """List a client and whatever of its own asks for keys."""
    inner = [each for each in vars(held).values() if isinstance(each, KeySet | FetchedKeys)]
    return [held, *(place for each in inner for place in _places(each))]


@cache
def _client(name: str) -> tuple[ProviderClient, _Canned]:
    """Build a client whose connections are replaced; its own code is all there."""
    record, canned = PROVIDERS[Provider(name)], _Canned()
    module, _, function = record.client.partition(":")
    credentials = {each.name: "whsec_YWJjZGVmZ2hpamtsbW5vcA==" for each in record.credentials}
    options = {each.name: each.default for each in record.options}
    client: Any = getattr(import_module(module), function)(Given("http://x", credentials, 1.0, False, options), print)  # noqa: FBT003
    for place in _places(client):
        for name_of_it, value in list(vars(place).items()):
            if isinstance(value, ProviderHttp | Submissions):
                canned.account = value.account if isinstance(value, ProviderHttp) else canned.account
                setattr(place, name_of_it, canned)
    return client, canned


def kit(exchange: tuple[int, bytes | None, Mapping[str, str]]) -> None:
    """No answer or webhook makes a client raise, and none is talked into more than the pages allow."""
    asyncio.run(_met(*exchange))


async def _met(status: int, body: bytes | None, headers: Mapping[str, str]) -> None:
    for name in NAMES:
        client, canned = _client(name)
        canned.answer = Response(status, body, None, "application/json")
        await _asked(client, status, WebhookMessage(body or b"", headers, NOW))


async def _asked(client: ProviderClient, status: int, message: WebhookMessage) -> None:
    record = PROVIDERS[client.name]
    job = Handle("job-1", {"status_url": "http://x/s", "cancel_url": "https://elsewhere.example/c"})
    reports = [await client.check(job)]
    if record.webhook is Webhook.SIGNED:
        reading = await client.read_webhook(message)
        assert reading.signature is not Signature.GOOD
        assert not reading.proves
        reports += [reading.report] if reading.report else []
    if record.lookup in {Lookup.BY_NAME, Lookup.SEARCH}:
        found = await client.lookup(LostSubmission("name-1", NOW))
        reports += [found.report] if isinstance(found, Found) else []
    if record.cancel is not Cancel.NONE:
        cancelled = await client.cancel(job)
        assert cancelled.result is not CancelResult.DONE or 200 <= status < 300
    submitted = await client.submit(an_order(), before_first_byte=Marker())
    assert not isinstance(submitted, Accepted) or (200 <= status < 300 and submitted.provider_job_id)
    for report in reports:
        assert not isinstance(report, Ready) or all(output_url_usable(url) for url in report.urls)
