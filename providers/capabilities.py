"""What a provider can do and what it asks for, as data: all that the rest of the service knows about one.

A record imports nothing that speaks HTTP, so that rooms that must not ask a provider may still read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from schemas.names import Motion, MotionForm, Provider
from schemas.video import Refund


class PictureForm(Enum):
    """How a submission carries the picture."""

    ADDRESS = auto()
    BYTES = auto()
    EITHER = auto()


class Webhook(Enum):
    """Whether the provider calls us back, and what its call is worth."""

    NONE = auto()
    UNSIGNED = auto()
    """A wake-up: whoever knows the address could have sent it."""
    SIGNED = auto()


class Lookup(Enum):
    """How a submission whose answer was lost may still be found."""

    NONE = auto()
    WEBHOOK = auto()
    """A webhook on its own address names the job."""
    BY_NAME = auto()
    """The provider can be asked by a name of ours: that it does not know it proves that it took nothing."""
    SEARCH = auto()
    """The provider can be searched: only what is found proves anything."""


class SettingKind(Enum):
    """What a setting of a provider holds."""

    SECRET = auto()
    ACCOUNT = auto()
    """Our own name at the provider, which is no secret and which no job bears."""


@dataclass(frozen=True, slots=True)
class CredentialSetting:
    """A setting that a provider needs: `api_key` of `iacrea` is read from `REELBUS_IACREA_API_KEY`."""

    name: str
    kind: SettingKind = SettingKind.SECRET


@dataclass(frozen=True, slots=True)
class MotionOffer:
    """How a provider is asked for a motion: its own word, or a sentence for its prompt."""

    wire: str
    form: MotionForm = MotionForm.OPTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """One provider. Durations are in seconds, rates in requests a second."""

    name: Provider
    label: str
    """What messages for people call it."""
    client: str
    """`module:function` of what builds its client from `Given`; imported only where providers are asked."""
    url: str
    """Where it is reached, unless a setting says otherwise."""
    credentials: tuple[CredentialSetting, ...]
    """Without all of them it is switched off."""
    motions: Mapping[Motion, MotionOffer]
    """A motion that is missing is refused for this provider, never replaced."""
    picture: PictureForm
    webhook: Webhook = Webhook.NONE
    lookup: Lookup = Lookup.NONE
    failure_refund: Refund
    """What becomes of the credit of a job that the provider itself reports as failed."""
    rate: float = 1.0
    """Requests that it may be asked, submissions and checks together, unless a setting says otherwise."""
    check_price: float = 1.0
    """What one check is worth, in seconds for which a finished video may go unnoticed.

    A check at twice the price is made some 0.7 times as often.
    """
    webhook_grace: float = 120.0
    """For how long a job is left to its webhook before it is polled as well, unless a setting says otherwise."""
    results_live: float | None = None
    """For how long the addresses of a result are good, where that is documented."""

    @property
    def calls_back(self) -> bool:
        """Whether a webhook may come."""
        return self.webhook is not Webhook.NONE

    @property
    def wants_bytes(self) -> bool:
        """Whether a submission must carry the picture itself, for an address will not do."""
        return self.picture is PictureForm.BYTES

    def offers(self, motion: Motion) -> bool:
        """Say whether it can make this motion."""
        return motion in self.motions


@dataclass(frozen=True, slots=True)
class Given:
    """What the operator gave for one provider; `credentials` has a value for each that it declares."""

    url: str
    credentials: Mapping[str, str] = field(repr=False)
    timeout: float
    allow_private_outputs: bool
