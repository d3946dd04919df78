"""Hold a provider against what its record says of it, with the operator's own key: free questions, and one paid job."""

import asyncio
import sys
import time
import uuid
from collections.abc import AsyncIterator

from process.settings import Settings
from providers.base import LostSubmission, Order, ProviderClient, VerificationFailed, WebhookMessage
from providers.capabilities import Capabilities, Lookup, Webhook
from providers.registry import PROVIDERS
from providers.reports import Accepted, Failed, Handle, NotFound, Ready, Signature, UnknownJob
from reelbus.asking import opened_clients
from reelbus.errors import BAD_USAGE, settings_or_exit, stop_with
from reelbus.terminal import cleaned
from schemas.names import Motion, Orientation, Provider

ASK_EVERY_SECONDS = 5.0

Line = tuple[bool, str, str]
"""Whether it is as it should be, what was examined, and what came of it."""


def check_provider(name: str, *, live: bool, spend: int, image_url: str | None) -> int:
    """Print a line for each thing that was examined; give the exit status: 1 if any is not as it should be."""
    if name not in PROVIDERS:
        stop_with(f"there is no provider {name}; choose from {', '.join(PROVIDERS)}", BAD_USAGE)
    if not live:
        stop_with("add --live: this asks the provider itself, with your key, and costs nothing", BAD_USAGE)
    if spend not in (0, 1):
        stop_with("--spend is 0, or 1 for one paid video", BAD_USAGE)
    if spend and (image_url is None or PROVIDERS[Provider(name)].wants_bytes):
        stop_with("--spend needs --image-url, and a provider that takes a picture by its address", BAD_USAGE)
    settings = settings_or_exit()
    return asyncio.run(_run(settings, Provider(name), image_url if spend else None))


async def _run(settings: Settings, name: Provider, image_url: str | None) -> int:
    good = True
    async with opened_clients(settings) as clients:
        client = clients.get(name)
        if client is None:
            stop_with(f"{name} has no credentials here; deploy/env.example names its settings", BAD_USAGE)
        async for line in _lines(client, PROVIDERS[name], settings.job_timeout, image_url):
            as_it_should_be, subject, said = line
            good = good and as_it_should_be
            sys.stdout.write(cleaned(f"{'ok' if as_it_should_be else 'fail':<5} {subject:<12} {said}") + "\n")
    return 0 if good else 1


async def _lines(
    client: ProviderClient, record: Capabilities, longest: float, image_url: str | None
) -> AsyncIterator[Line]:
    yield await _account(client)
    yield await _wrong_id(client)
    if record.webhook is Webhook.SIGNED:
        yield await _signature(client, record)
    if record.lookup in (Lookup.BY_NAME, Lookup.SEARCH):
        answer = await client.lookup(LostSubmission(uuid.uuid4().hex, time.time()))
        yield isinstance(answer, NotFound), "lookup", f"of a name never used: {_said(answer)}"
    if image_url is not None:
        yield await _paid(client, longest, image_url)


async def _account(client: ProviderClient) -> Line:
    try:
        return True, "account", await client.verify()
    except VerificationFailed as error:
        return False, "account", str(error)


async def _wrong_id(client: ProviderClient) -> Line:
    report = await client.check(Handle(str(uuid.uuid4())))
    return isinstance(report, UnknownJob), "wrong id", _said(report)


async def _signature(client: ProviderClient, record: Capabilities) -> Line:
    """Verify a signature that nobody made: WRONG says that what it is checked by could be had."""
    headers = dict.fromkeys(record.webhook_headers, "00" * 64)
    headers |= {name: "v1,AAAA" for name in headers if name == "webhook-signature"}
    reading = await client.read_webhook(WebhookMessage(b"{}", headers, time.time()))
    return reading.signature is Signature.WRONG, "signature", f"of nobody: {reading.signature.name.lower()}"


async def _paid(client: ProviderClient, longest: float, image_url: str) -> Line:
    order = Order(
        motion=Motion.ZOOM_IN,
        orientation=Orientation.LANDSCAPE,
        prompt=None,
        image_url=image_url,
        image=None,
        content_type=None,
        webhook_url=None,
        name=uuid.uuid4().hex,
    )
    answer = await client.submit(order, before_first_byte=_nothing)
    if not isinstance(answer, Accepted) or answer.provider_job_id is None:
        return False, "paid video", f"was not taken: {_said(answer)}"
    job = Handle(answer.provider_job_id, answer.details)
    sys.stdout.write(cleaned(f"      paid video   was taken as {job.id}") + "\n")
    ends = time.monotonic() + longest
    while time.monotonic() < ends:
        report = answer.finished or await client.check(job)
        if isinstance(report, Ready):
            return True, "paid video", ", ".join(report.urls)
        if isinstance(report, Failed):
            return False, "paid video", report.message
        await asyncio.sleep(ASK_EVERY_SECONDS)
    return False, "paid video", f"did not end within {longest:g} seconds; its job is {job.id}"


async def _nothing() -> None:
    """Note nothing: no video of the service's is sent."""


def _said(answer: object) -> str:
    message = getattr(answer, "message", "")
    return f"{type(answer).__name__}{': ' if message else ''}{message}"
