"""A provider's client beside its stand-in, whichever kind of stand-in that is, with the same stories for all."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any

from providers.base import BuildClient, Order, ProviderClient
from providers.capabilities import Capabilities, Given
from providers.registry import PROVIDERS
from providers.reports import Accepted, Handle
from sandbox.kit.serving import serving, stand_in_for
from sandbox.kit.standin import KitStandIn
from sandbox.settings import SandboxSettings
from schemas.names import Provider
from tests.providers.orders import Marker, an_order
from tests.sandbox.server import QUICK, SandboxServer, png, running

LOST = ("drop", "500-after", "504-after", "html", "empty")
NOT_YET = ("503", "503-later")

_SHARED = {
    "ok": "ok",
    "running": "never-finishes",
    "unknown": "lost-id",
    "private-output": "private-urls",
    "drop": "charge-and-drop",
    "500-after": "http-500-after-accept",
    "504-after": "http-504-after-accept",
    "html": "html-200-after-accept",
    "empty": "empty-200-after-accept",
    "503": "http-503",
    "503-later": "http-503-retry-after",
    "web-page": "http-502",
    "no-money": "http-402",
    "bad-request": "http-400",
    "bad-picture": "http-400-image",
    "limit": "http-429-retry-after",
}
OLDER: dict[str, dict[str, str]] = {
    "iacrea": _SHARED | {"no-output": "succeeded-empty-always", "failed": "fail", "failed-reason": "fail-with-reason"},
    "homedesigns": _SHARED | {"new-word": "unknown-word", "failed": "fail-runpod", "failed-otherwise": "fail-error"},
}
"""The stories of the stand-ins that speak of behaviours, as those."""

_REFUSED = {
    "no-money": "out_of_credits",
    "bad-request": "request_rejected",
    "bad-picture": "image_rejected",
    "limit": "",
}
_FAILED = {"iacrea": dict.fromkeys(("failed", "failed-reason"), "refunded"), "homedesigns": {"failed": "unknown"}}


class Examinee(ABC):
    """One provider under examination."""

    def __init__(self, record: Capabilities, url: str, credentials: Mapping[str, str]) -> None:
        self.record = record
        self.words: list[str] = []
        self.credentials = credentials
        self.given = self._given(url)
        self.client = self.built(self.given)

    def _given(self, url: str) -> Given:
        options = {each.name: each.default for each in self.record.options}
        options |= {name: url for name in options if name.endswith("_url")}
        if "keys_url" in options:
            options["keys_url"] += "/.well-known/jwks.json"
        return Given(url, self.credentials, 8.0, allow_private_outputs=False, options=options)

    def behind(self, url: str) -> ProviderClient:
        """Build a client that finds a gateway at another address in the provider's place."""
        return self.built(self._given(url))

    def built(self, given: Given) -> ProviderClient:
        """Build a client."""
        module, _, function = self.record.client.partition(":")
        build: BuildClient = getattr(import_module(module), function)
        return build(given, self.words.append)

    def stranger(self) -> ProviderClient:
        """Build a client whose credentials are wrong."""
        return self.built(replace(self.given, credentials=dict.fromkeys(self.given.credentials, "wrong-" + "x" * 20)))

    @abstractmethod
    async def plan(self, *stories: str) -> None:
        """Name the stories of the next submissions."""

    def order(self, **changes: Any) -> Order:
        """Write an order."""
        order = replace(an_order(), webhook_url="https://reelbus.example/webhooks/x/tokentokentoken1", image=png())
        return replace(order, **changes)

    async def submitted(self, story: str, **changes: Any) -> Handle:
        """Have a job accepted that goes as the story says."""
        await self.plan(story)
        answer = await self.client.submit(self.order(**changes), before_first_byte=Marker())
        assert isinstance(answer, Accepted), answer
        assert answer.provider_job_id is not None
        return Handle(answer.provider_job_id, answer.details)


class Newer(Examinee):
    """A provider whose stand-in is one of the kit's."""

    def __init__(self, stand_in: KitStandIn) -> None:
        super().__init__(PROVIDERS[Provider(stand_in.provider)], stand_in.base_url, stand_in.credentials)
        self.stand_in = stand_in

    async def plan(self, *stories: str) -> None:
        """Name the stories of the next submissions."""
        self.stand_in.plan(*stories)


class Older(Examinee):
    """A provider whose stand-in speaks of behaviours."""

    def __init__(self, record: Capabilities, sandbox: SandboxServer) -> None:
        settings = SandboxSettings()
        credentials = {each.name: str(getattr(settings, f"{record.name}_{each.name}")) for each in record.credentials}
        super().__init__(record, sandbox.url, credentials)
        self.sandbox = sandbox

    async def plan(self, *stories: str) -> None:
        """Name the stories of the next submissions."""
        for story in stories:
            late = {"render_seconds": 600.0} if story in ("running", "new-word") else {}
            await self.sandbox.plan(self.record.name, OLDER[self.record.name][story], **late)


@asynccontextmanager
async def examined(name: str) -> AsyncIterator[Examinee]:
    """Serve the stand-in of a provider, and build its client."""
    if name in OLDER:
        settings = SandboxSettings(**(QUICK | {"render_seconds": 0.0, "public_url": "https://video.example"}))  # type: ignore[arg-type]  # fields by name
        async with running(settings) as sandbox:
            older = Older(PROVIDERS[Provider(name)], sandbox)
            yield older
            await older.client.close()
        return
    async with serving(stand_in_for(name)) as stand_in:
        newer = Newer(stand_in)
        yield newer
        await newer.client.close()


def stories_of(name: str) -> set[str]:
    """List the stories that a provider's stand-in knows."""
    return set(OLDER[name]) if name in OLDER else stand_in_for(name).stories


def refusals_of(name: str) -> Mapping[str, str]:
    """Give what each refusal of a submission means; nothing for a limit."""
    return _REFUSED if name in OLDER else stand_in_for(name).refusals


def failures_of(name: str) -> Mapping[str, str]:
    """Give what each failure of a job costs."""
    return _FAILED[name] if name in OLDER else stand_in_for(name).failures
