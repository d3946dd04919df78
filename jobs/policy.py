"""What operators decide about jobs, as the state machine needs to know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from providers.registry import PROVIDERS
from schemas.names import Provider


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules that settings may bend. Durations are in seconds, rates in requests a second."""

    providers: tuple[Provider, ...] = tuple(PROVIDERS)
    """Those with credentials, in the order of preference."""
    rates: Mapping[Provider, float] = field(
        default_factory=lambda: {name: each.rate for name, each in PROVIDERS.items()}
    )
    submission_rates: Mapping[Provider, float] = field(
        default_factory=lambda: {
            name: each.submission_rate for name, each in PROVIDERS.items() if each.submission_rate is not None
        }
    )
    """Of those that limit submissions apart: theirs are not taken out of `rates`."""
    submit_attempts: int = 20
    submit_deadline: float = 3600
    fallback_when_unsure: bool = False
    confirm_wait: float = 300
    trust_webhook_body: bool = False
    job_timeout: float = 900
    poll_min: float = 2
    poll_max: float = 30
    webhook_grace: float = 120
    webhook_graces: Mapping[Provider, float] = field(default_factory=dict)
    """For how long a job is left to its webhook, where a provider's differs."""
    media_ttl: float = 3600
    proves: frozenset[Provider] = frozenset()
    """Those whose results are announced only after their addresses were asked."""
    retention: float = 90 * 86400.0
    """For how long a finished video is kept; 0 is for ever."""

    def grace(self, provider: Provider) -> float:
        """Say for how long a job of a provider that calls back is left to its webhook."""
        return self.webhook_graces.get(provider, self.webhook_grace)


LEASE_SECONDS = 10.0
"""How long a claim lasts without renewal: after that the owner counts as dead."""

ABANDONED_LEASE_SECONDS = 60.0
"""How long a lease of one's own must have run out before its work counts as dropped: one still at it renews it."""

TRIES_BEFORE_ANOTHER = 4
"""How often a submission is tried while another provider is left that may make the video."""

STORE_POLL_SECONDS = 1.0
"""Whoever works looks at the store at least this often, and finds what falls due later without being woken."""

UNKNOWN_JOB_GRACE = 60.0
"""For how long after acceptance a provider may still say that it does not know the job."""

LATE_RESULT_SECONDS = 24 * 3600.0
"""For how long an attempt that was given up is still looked at."""

OVERDUE_GRACE = 3.0
"""How long past its time-out an attempt is kept whose provider can be asked and gives no answer."""
