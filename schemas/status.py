"""What the service tells of itself to those who watch over it."""

from enum import StrEnum
from typing import Literal

from schemas.names import Motion, MotionForm, Provider, VideoStatus
from schemas.video import Document, Timestamp


class Alive(Document):
    """This process answers."""

    status: Literal["alive"] = "alive"


class Ready(Document):
    """Store and broker can be used. `broker` is null where this process has nothing to do with one."""

    status: Literal["ready"] = "ready"
    store: Literal["ready"] = "ready"
    broker: Literal["ready"] | None
    unpublished_events: int
    oldest_unpublished_seconds: float
    refused_events: int
    """Of the unpublished ones, what the broker refused and what waits behind that; tried again within the hour."""
    dead_letters: int | None
    """Commands that are parked, as of a few seconds ago; null where that is not known."""


class Reachable(Document):
    """Whether something outside can be used now, and if not, why."""

    ready: bool
    fault: str | None


class Outbox(Document):
    """The events that no broker has confirmed yet; the count stops at 10,000."""

    unpublished: int
    refused: int
    oldest_seconds: float
    last_error: str | None


class Commands(Document):
    """The queue of commands: its link, where this process has one, and how many are parked."""

    link: Reachable | None
    dead_letters: int | None


ProviderWord = Literal["ready", "off", "paused", "refusing", "out_of_credits", "away", "testing", "throttled"]


class CircuitState(StrEnum):
    """What a provider is given: all work, none, or one attempt that tests it."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Circuit(Document):
    """The circuit breaker of a provider.

    Open: it is away `since` then, and work for it waits. Half-open: a submission tests, or may from `probe_at` on test,
    whether it is back. Closed: all is well; `since` is then the end of the newest outage, if there was one.
    """

    state: CircuitState
    since: Timestamp | None
    reason: str | None
    probe_at: Timestamp | None


class WebhookRecord(Document):
    """Whether a provider's webhooks come, by its newest 50 videos.

    `videos` of them were made, for `arrived` of those a webhook came, for the newest `missed_in_a_row` none did;
    `seconds_to_end` is the median from a webhook to the end that it prompted.
    """

    videos: int
    arrived: int
    missed_in_a_row: int
    seconds_to_end: float | None


class ProviderState(Document):
    """One provider: whether it has credentials here, takes them, and is being left alone for a while.

    `state` is the rest in a word: `off` without credentials, `paused` by an operator, `refusing` our key,
    `out_of_credits` since a submission was refused for it, `away` while its circuit is open, `testing` while that is
    half-open, `throttled` until `paused_until`, or `ready`.
    """

    state: ProviderWord

    enabled: bool
    authorized: bool
    unauthorized_since: Timestamp | None
    out_of_credits_since: Timestamp | None
    paused_until: Timestamp | None
    paused: bool
    paused_since: Timestamp | None
    paused_by: str | None
    circuit: Circuit
    webhooks: WebhookRecord | None
    """Null for a provider that calls nobody back."""


class Duration(Document):
    """A point of the curve of durations: this `share` of the jobs, from 0 to 1, is over within so many `seconds`."""

    share: float
    seconds: float


class RequestBudget(Document):
    """The requests of one kind that all processes together may make to a provider.

    `left` of them may be made at once, of at most `burst`; `a_minute` more come each minute. While many work, `left`
    may be below 0.
    """

    left: float
    burst: float
    a_minute: float


class AnswerTimes(Document):
    """How soon a provider answered those of its newest submissions that it accepted, in seconds.

    From the first byte that was sent until the answer was on our disk: half of them within `median`, 90 % within
    `nine_in_ten`.
    """

    submissions: int
    median: float
    nine_in_ten: float


class CancelPromise(StrEnum):
    """What a provider makes of the wish to stop a job: nothing, a wish that it may pass over, or a certain answer."""

    NONE = "none"
    WISH = "wish"
    CERTAIN = "certain"


class NamedProvider(ProviderState):
    """One provider under its name.

    `durations` is what was learnt of how long its jobs take, by which its checks are planned; empty before enough
    of them ended. `refund_evidence` says where it is known from what a failed job costs. `submission_budget` is null
    where submissions draw on `budget` as everything else does.
    """

    name: Provider
    motions: dict[Motion, MotionForm]
    cancel: CancelPromise
    refund_evidence: str
    budget: RequestBudget
    submission_budget: RequestBudget | None
    answer_times: AnswerTimes | None
    """Null before the first submission was accepted."""
    durations: list[Duration]


class ProviderList(Document):
    """Every provider."""

    items: list[NamedProvider]


class Status(Document):
    """Everything an operator wants to see at one glance.

    `public_address` says whether our own requests to `REELBUS_PUBLIC_URL` come back; null until one does.
    """

    store: Reachable
    broker: Reachable | None
    public_address: Reachable | None
    outbox: Outbox
    commands: Commands | None
    open_videos: dict[VideoStatus, int]
    providers: dict[Provider, ProviderState]


class Redelivery(Document):
    """A video's terminal event is being published again, under the id that it always had."""

    id: str
    event_id: str
