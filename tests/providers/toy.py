"""A provider that nothing but these lines and one entry of the registry knows."""

from collections.abc import Callable
from dataclasses import dataclass, field

from providers.base import BeforeFirstByte, Order, ProviderClient
from providers.capabilities import (
    Capabilities,
    CredentialSetting,
    Given,
    Lookup,
    MotionOffer,
    OptionSetting,
    PictureForm,
    Webhook,
)
from providers.reports import Accepted, Handle, Ready, Report, SubmissionOutcome, Working
from schemas.names import Motion, MotionForm, Provider, RefundStatus
from schemas.video import Refund

CAPABILITIES = Capabilities(
    name=Provider("toy"),
    label="Toy",
    client="tests.providers.toy:build",
    url="https://toy.example",
    credentials=(CredentialSetting("key"), CredentialSetting("second_key", required=False)),
    options=(OptionSetting("model", "toy-1", "the model"),),
    motions={Motion.ZOOM_IN: MotionOffer("closer", MotionForm.PROMPT)},
    picture=PictureForm.ADDRESS,
    webhook=Webhook.UNSIGNED,
    lookup=Lookup.WEBHOOK,
    failure_refund=Refund(status=RefundStatus.CHARGED, credits=0),
    rate=1000.0,
    results_live=3600.0,
)
MADE: list["Toy"] = []
"""The clients that were built."""


@dataclass
class Toy(ProviderClient):
    """Takes every order, and has made its video once `done` says so."""

    given: Given
    orders: list[Order] = field(default_factory=list)
    done: bool = False
    name: Provider = CAPABILITIES.name
    wants_bytes: bool = CAPABILITIES.wants_bytes

    async def submit(self, order: Order, *, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
        await before_first_byte()
        self.orders.append(order)
        return Accepted(f"toy-{len(self.orders)}", details={"shelf": self.given.options["model"]})

    async def check(self, job: Handle) -> Report:
        return Ready((f"https://toy.example/{job.details['shelf']}/{job.id}.mp4",)) if self.done else Working()

    async def verify(self) -> str:
        return "the toy is there"

    async def close(self) -> None:
        pass


def build(given: Given, _unknown_status: Callable[[str], None]) -> Toy:
    """Build the client, as the registry's record says."""
    MADE.append(Toy(given))
    return MADE[-1]
