"""What a provider can do and what it asks for, as data: all that the rest of the service knows about one.

A record imports nothing that speaks HTTP, so that rooms that must not ask a provider may still read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto

from schemas.names import Motion, MotionForm, Provider
from schemas.video import Refund


class PictureForm(Enum):
    """How a submission carries the picture."""

    ADDRESS = auto()
    BYTES = auto()
    EITHER = auto()


@dataclass(frozen=True, slots=True)
class PictureBounds:
    """What is documented of the pictures that a provider takes; None where its pages name no bound."""

    max_bytes: int | None = None
    min_side: int | None = None
    """Pixels of the shorter side."""
    ratio: tuple[float, float] | None = None
    """The narrowest and the widest, width by height."""
    asks_head: bool = False
    """Whether it asks the picture's address with HEAD before it fetches it."""


class Webhook(Enum):
    """Whether the provider calls us back, and what its call is worth."""

    NONE = auto()
    UNSIGNED = auto()
    """A wake-up: whoever knows the address could have sent it."""
    SIGNED = auto()
    """Its client verifies the signature: `ProviderClient.read_webhook`."""


class WebhookMoment(Enum):
    """When the provider calls back."""

    START = auto()
    CHANGE = auto()
    END = auto()


class Lookup(Enum):
    """How a submission whose answer was lost may still be found."""

    NONE = auto()
    WEBHOOK = auto()
    """A webhook on its own address names the job."""
    BY_NAME = auto()
    """The provider can be asked by a name of ours: that it does not know it proves that it took nothing."""
    SEARCH = auto()
    """The provider can be searched: only what is found proves anything."""


class Cancel(Enum):
    """Whether the provider can be told to stop a job, and what its word is worth."""

    NONE = auto()
    WISH = auto()
    """It may go on all the same once the job runs."""
    CERTAIN = auto()


class Deadline(Enum):
    """What the provider can be told of the time that a job may take."""

    NONE = auto()
    START_BY = auto()
    END_BY = auto()


class OverLimit(Enum):
    """What the provider does with a job beyond the account's limit of jobs at once."""

    UNKNOWN = auto()
    WAITS = auto()
    """It is accepted, and waits there."""
    REFUSED = auto()
    """It is not accepted, and may be sent again: that is no failure of the job, however often it happens."""


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
    required: bool = True
    """Whether the provider is off without it."""


@dataclass(frozen=True, slots=True)
class OptionSetting:
    """A choice that changes faster than the protocol: `model` of `toy` is read from `REELBUS_TOY_MODEL`."""

    name: str
    default: str
    says: str
    """What it is, in a few words."""


@dataclass(frozen=True, slots=True)
class EndOfLife:
    """When the model that the defaults name is switched off, and what follows it; None where nothing is announced."""

    on: date | None = None
    successor: str | None = None


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
    """Without all that are required it is switched off."""
    options: tuple[OptionSetting, ...] = ()
    options_date: date | None = None
    """The day on which the defaults of the options were true."""
    end_of_life: EndOfLife = EndOfLife()

    motions: Mapping[Motion, MotionOffer]
    """A motion that is missing is refused for this provider, never replaced."""
    prompt_limit: int | None = None
    """UTF-16 code units of the whole prompt, sentence and caller's words."""
    picture: PictureForm
    picture_bounds: PictureBounds = PictureBounds()

    webhook: Webhook = Webhook.NONE
    webhook_moments: frozenset[WebhookMoment] = frozenset()
    webhook_headers: tuple[str, ...] = ()
    """The headers that its signature needs, in lower case: kept with the body."""
    webhook_names_job: bool = False
    webhook_is_report: bool = False
    """Whether its body is the same document that a check gives, so that a signed one settles the job."""
    webhook_grace: float = 120.0
    """For how long a job is left to its webhook before it is polled as well, unless a setting says otherwise."""

    lookup: Lookup = Lookup.NONE
    cancel: Cancel = Cancel.NONE
    cancel_forgets: bool = False
    """Whether a job that it stopped is unknown to it from then on."""
    deadline: Deadline = Deadline.NONE
    requests_per_check: int = 1
    jobs_per_check: int = 1
    """How many jobs one question may be about; the client gathers what is asked at the same time."""

    failure_refund: Refund
    """What becomes of the credit of a job that the provider reports as failed, unless its report says more."""
    refund_evidence: str = ""
    """Where that is known from."""
    unit: str = "credit"
    """What the provider counts its prices in."""

    over_limit: OverLimit = OverLimit.UNKNOWN
    rate: float = 1.0
    """Requests that it may be asked, submissions and checks together, unless a setting says otherwise."""
    submission_rate: float | None = None
    """Submissions that it may be sent where it limits them apart; `rate` is for the other requests then."""
    burst_seconds: float = 10.0
    """How many seconds' worth of requests may be made at once."""
    failures_to_open: int = 5
    """After how many failed submissions in a row its circuit opens."""
    check_price: float = 1.0
    """What one check is worth, in seconds for which a finished video may go unnoticed.

    A check at twice the price is made some 0.7 times as often.
    """

    results_live: float | None = None
    """For how long the addresses of a result are good, where that is documented."""
    results_renewable: bool = False
    """Whether asking about the job again gives fresh addresses."""
    results_protected: bool = False
    """Whether a result may need our credentials to be fetched."""

    @property
    def calls_back(self) -> bool:
        """Whether a webhook may come."""
        return self.webhook is not Webhook.NONE

    @property
    def wants_bytes(self) -> bool:
        """Whether a submission must carry the picture itself, for an address will not do."""
        return self.picture is PictureForm.BYTES

    def variable(self, setting: str) -> str:
        """Name the environment variable of one of its settings."""
        return f"REELBUS_{self.name}_{setting}".upper()

    def offers(self, motion: Motion) -> bool:
        """Say whether it can make this motion."""
        return motion in self.motions


@dataclass(frozen=True, slots=True)
class Given:
    """What the operator gave for one provider; `credentials` has a value, perhaps empty, for each that it declares."""

    url: str
    credentials: Mapping[str, str] = field(repr=False)
    timeout: float
    allow_private_outputs: bool
    options: Mapping[str, str] = field(default_factory=dict)
    job_timeout: float = 900.0
    """After how many seconds a job is given up here."""
