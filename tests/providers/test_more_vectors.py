"""The answers and signatures of fal, Kling, Replicate and Runway that are written down are read as they say."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from providers.base import BuildClient, ProviderClient, WebhookMessage
from providers.capabilities import Given
from providers.fal.client import build as build_fal
from providers.fal.keys import KeySet
from providers.http.account import Account
from providers.http.client import ProviderHttp
from providers.kling.client import build as build_kling
from providers.parsing.signatures import standard_signature
from providers.registry import PROVIDERS
from providers.replicate.client import build as build_replicate
from providers.reports import (
    Accepted,
    CancelAnswer,
    CancelResult,
    Doubtful,
    Failed,
    Handle,
    NotAcceptedYet,
    Ready,
    Refused,
    Signature,
    UnknownJob,
    Working,
)
from providers.runway.client import build as build_runway
from schemas.names import ErrorCode, Provider
from tests.providers.conftest import MakePeer
from tests.providers.orders import KEY, PATIENT, Marker, an_order
from tests.providers.peer import says

HERE = Path(__file__).parent
Vector = dict[str, Any]


def lines(name: str) -> list[Vector]:
    return [json.loads(line) for line in (HERE / name).read_text().splitlines()]


ANSWERS = lines("more_provider_vectors.jsonl")
SIGNATURES = lines("webhook_signature_vectors.jsonl")
CLIENTS: dict[str, tuple[str, BuildClient]] = {
    "FAL": ("fal", build_fal),
    "KL": ("kling", build_kling),
    "RE": ("replicate", build_replicate),
    "RW": ("runway", build_runway),
}

MEANINGS: dict[str, Callable[[Any], bool]] = {
    "pending": lambda read: isinstance(read, Working | Accepted),
    "ready": lambda read: isinstance(read, Ready),
    "failed": lambda read: isinstance(read, Failed),
    "recheck": lambda read: isinstance(read, Doubtful) and not read.final,
    "lost_id": lambda read: isinstance(read, UnknownJob),
    "refused_authentication": lambda read: isinstance(read, Refused) and read.code is ErrorCode.AUTHENTICATION_FAILED,
    "refused_request": lambda read: isinstance(read, Refused) and read.code is ErrorCode.REQUEST_REJECTED,
    "refused_out_of_credits": lambda read: isinstance(read, Refused) and read.code is ErrorCode.OUT_OF_CREDITS,
    "not_accepted_throttled": lambda read: isinstance(read, NotAcceptedYet) and read.throttled,
    "cancel_requested": lambda read: isinstance(read, CancelAnswer) and read.result is CancelResult.WISHED,
}


def job_of(vector: Vector) -> Handle:
    """Name the job that an answer is about."""
    body = vector["body"]
    data = body.get("data", body)
    about = data[0] if isinstance(data, list) else data
    return Handle(str(about.get("request_id") or about.get("id") or about.get("task_id") or "some-job"))


@pytest.fixture
async def build() -> AsyncIterator[Callable[[str, str], ProviderClient]]:
    """Build the client that a vector's first word names."""
    async with AsyncExitStack() as stack:

        def make(word: str, url: str) -> ProviderClient:
            name, build_client = CLIENTS[word]
            record = PROVIDERS[Provider(name)]
            options = {each.name: url if each.name.endswith("_url") else each.default for each in record.options}
            credentials = {each.name: KEY for each in record.credentials}
            client = build_client(Given(url, credentials, PATIENT, False, options), lambda _: None)  # noqa: FBT003
            stack.push_async_callback(client.close)
            return client

        yield make


@pytest.mark.parametrize("vector", ANSWERS, ids=[vector["name"] for vector in ANSWERS])
async def test_every_written_answer_is_read_as_it_says(
    vector: Vector, peer: MakePeer, build: Callable[[str, str], ProviderClient]
) -> None:
    calls: dict[str, Callable[[ProviderClient], Awaitable[object]]] = {
        "submit": lambda client: client.submit(an_order(), before_first_byte=Marker()),
        "status": lambda client: client.check(job_of(vector)),
        "result": lambda client: client.check(job_of(vector)),
        "cancel": lambda client: client.cancel(job_of(vector)),
    }
    if vector["call"] == "webhook":
        client = build(vector["name"].split()[0], "http://127.0.0.1:9")
        reading = await client.read_webhook(WebhookMessage(json.dumps(vector["body"]).encode(), {}, 0.0))
        assert reading.signature is Signature.MISSING
        assert reading.job == job_of(vector)
        read: object = reading.report
    else:
        before = [says(200, {"status": "COMPLETED", "request_id": "some-job"})] if vector["call"] == "result" else []
        server = await peer(*before, says(vector["http"], vector["body"]))
        read = await calls[vector["call"]](build(vector["name"].split()[0], server.url))
    assert MEANINGS[vector["verdict"]](read), read
    assert not isinstance(read, Ready) or list(read.urls) == vector.get("urls", list(read.urls))


@pytest.mark.parametrize("vector", SIGNATURES, ids=[f"{each['provider']}: {each['why']}" for each in SIGNATURES])
async def test_every_written_signature_is_worth_what_it_says(vector: Vector, peer: MakePeer) -> None:
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    message = WebhookMessage(vector["body"].encode(), headers, vector["now"])
    if vector["scheme"] == "fal-ed25519":
        server = await peer(says(200, vector["jwks"]))
        http = ProviderHttp(Account("fal", server.url, "", "", PATIENT, credentials={}, secrets=()))
        found = await KeySet(http, "/keys").verify(message)
        await http.close()
    else:
        found = standard_signature([vector["secret"]], message)
    assert (found is Signature.GOOD) == vector["valid"]


async def test_a_key_set_that_changed_is_fetched_again_but_not_for_every_lie(peer: MakePeer) -> None:
    good = next(each for each in SIGNATURES if each["scheme"] == "fal-ed25519" and each["valid"])
    lie = next(each for each in SIGNATURES if each["scheme"] == "fal-ed25519" and "changed" in each["why"])
    older, newer = good["jwks"]["keys"]
    server = await peer(says(200, {"keys": [older]}), says(200, {"keys": [newer]}))
    http = ProviderHttp(Account("fal", server.url, "", "", PATIENT, credentials={}, secrets=()))
    now = 0.0
    keys = KeySet(http, "/keys", clock=lambda: now)

    def message(vector: Vector) -> WebhookMessage:
        headers = {name.lower(): value for name, value in vector["headers"].items()}
        return WebhookMessage(vector["body"].encode(), headers, vector["now"])

    assert await keys.verify(message(good)) is Signature.WRONG
    for _ in range(10):
        assert await keys.verify(message(lie)) is Signature.WRONG
    assert len(server.requests) == 1
    now = 600.0
    assert await keys.verify(message(good)) is Signature.GOOD
    assert len(server.requests) == 2
    await http.close()


async def test_keys_that_cannot_be_had_leave_a_signature_unchecked(closed_port: int) -> None:
    vector = next(each for each in SIGNATURES if each["scheme"] == "fal-ed25519" and each["valid"])
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    account = Account("fal", f"http://127.0.0.1:{closed_port}", "", "", PATIENT, credentials={}, secrets=())
    http = ProviderHttp(account)
    found = await KeySet(http, "/keys").verify(WebhookMessage(vector["body"].encode(), headers, vector["now"]))
    await http.close()
    assert found is Signature.UNCHECKED
