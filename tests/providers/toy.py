"""A provider that nothing but these lines and one entry of the registry knows."""

from collections.abc import Callable
from dataclasses import dataclass, field

from providers.base import BeforeFirstByte, Order
from providers.capabilities import Capabilities, CredentialSetting, Given, Lookup, MotionOffer, PictureForm, Webhook
from providers.reports import Accepted, Ready, Report, SubmissionOutcome, Working
from schemas.names import Motion, MotionForm, Provider, RefundStatus
from schemas.video import Refund

CAPABILITIES = Capabilities(
    name=Provider("toy"),
    label="Toy",
    client="tests.providers.toy:build",
    url="https://toy.example",
    credentials=(CredentialSetting("key"),),
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
class Toy:
    """Takes every order, and has made its video once `done` says so."""

    given: Given
    orders: list[Order] = field(default_factory=list)
    done: bool = False
    name: Provider = CAPABILITIES.name
    wants_bytes: bool = CAPABILITIES.wants_bytes

    async def submit(self, order: Order, *, before_first_byte: BeforeFirstByte) -> SubmissionOutcome:
        await before_first_byte()
        self.orders.append(order)
        return Accepted(f"toy-{len(self.orders)}")

    async def check(self, provider_job_id: str) -> Report:
        return Ready((f"https://toy.example/{provider_job_id}.mp4",)) if self.done else Working()

    async def verify(self) -> str:
        return "the toy is there"

    async def close(self) -> None:
        pass


def build(given: Given, _unknown_status: Callable[[str], None]) -> Toy:
    """Build the client, as the registry's record says."""
    MADE.append(Toy(given))
    return MADE[-1]
