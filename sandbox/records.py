"""What was seen and done, for checkers that stand outside."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from itertools import islice

from sandbox.settings import PROVIDERS, Provider

WEBHOOKS_LISTED = 20
DUPLICATES_LISTED = 100


@dataclass(slots=True)
class Submission:
    """One submission as it arrived, and the video that came of it. Times are Unix seconds."""

    arrived_at: float
    provider: Provider
    behaviour: str = ""
    chosen_by: str = ""
    answered: int | None = None
    """The HTTP status sent; None where the connection was dropped or left hanging."""
    accepted: bool = False
    charged: bool = False
    refunded: bool = False
    refusal: str = ""
    job_id: str = ""
    marker: str = ""
    """Stands in the video's output address and nowhere else."""
    option: str = ""
    prompt: str | None = None
    format: str | None = None
    image_url: str | None = None
    file_name: str | None = None
    picture_sha256: str | None = None
    picture_bytes: int | None = None
    webhook: str | None = None
    ends: str = ""
    ends_at: float | None = None
    checks: int = 0
    checks_after_end: int = 0
    first_check_at: float | None = None
    last_check_at: float | None = None
    told_end_at: float | None = None
    """When a status answer first told how it ended."""
    webhooks_sent: int = 0
    webhooks: list[tuple[float, int | str]] = field(default_factory=list)
    """When each was sent, and the answer's status or what went wrong."""
    seconds: float | None = None

    def heard(self, at: float, answer: int | str) -> None:
        """Note the outcome of one webhook."""
        self.webhooks_sent += 1
        if len(self.webhooks) < WEBHOOKS_LISTED:
            self.webhooks.append((at, answer))

    def checked(self, at: float) -> None:
        """Note one status call."""
        self.checks += 1
        self.first_check_at = self.first_check_at or at
        self.last_check_at = at
        if self.told_end_at is not None:
            self.checks_after_end += 1

    def document(self) -> dict[str, object]:
        """Give every field, for JSON."""
        return {name: getattr(self, name) for name in _FIELDS}


_FIELDS = tuple(each.name for each in fields(Submission))


class Traffic:
    """Requests to one provider, and the busiest second of them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.busiest = 0
        self._second: deque[float] = deque()
        self.quiet_until = 0.0

    def count(self, kind: str, now: float) -> None:
        """Note one request."""
        self.counts[kind] += 1
        if now < self.quiet_until - 0.05:
            self.counts["before_retry_after"] += 1
        second = self._second
        second.append(now)
        while second[0] <= now - 1.0:
            second.popleft()
        self.busiest = max(self.busiest, len(second))


class Records:
    """Every submission and every video, the oldest forgotten beyond a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.clear()

    def clear(self) -> None:
        """Forget everything; videos under way are forgotten too."""
        self._submissions: deque[Submission] = deque()
        self._jobs: dict[tuple[Provider, str], Submission] = {}
        self._markers: dict[str, Submission] = {}
        self.forgotten = 0
        self.traffic: dict[Provider, Traffic] = {provider: Traffic() for provider in PROVIDERS}

    def begin(self, provider: Provider, now: float) -> Submission:
        """Note that a submission arrived."""
        submission = Submission(now, provider)
        self._submissions.append(submission)
        if len(self._submissions) > self._limit:
            oldest = self._submissions.popleft()
            self._jobs.pop((oldest.provider, oldest.job_id), None)
            self._markers.pop(oldest.marker, None)
            self.forgotten += 1
        return submission

    def accepted(self, submission: Submission) -> None:
        """Make an accepted submission findable by its id and its marker."""
        self._jobs[submission.provider, submission.job_id] = submission
        self._markers[submission.marker] = submission

    def job(self, provider: Provider, job_id: str) -> Submission | None:
        """Find a video by the id that its provider gave it."""
        return self._jobs.get((provider, job_id))

    def marked(self, marker: str) -> Submission | None:
        """Find a video by the marker in its output address."""
        return self._markers.get(marker)

    def holds(self, submission: Submission) -> bool:
        """Say whether this video is still remembered."""
        return self._markers.get(submission.marker) is submission

    def some(self, offset: int, limit: int | None) -> Iterator[Submission]:
        """Walk the submissions in the order of their arrival."""
        return islice(self._submissions, offset, None if limit is None else offset + limit)

    def __len__(self) -> int:
        """Count the submissions that are remembered."""
        return len(self._submissions)

    def summary(self, provider: Provider) -> dict[str, object]:
        """Count what one provider saw and did."""
        mine = [each for each in self._submissions if each.provider == provider]
        accepted = [each for each in mine if each.accepted]
        traffic = self.traffic[provider]
        return {
            "submissions": len(mine),
            "accepted": len(accepted),
            "charged": sum(each.charged for each in mine),
            "refunded": sum(each.refunded for each in mine),
            "behaviours": Counter(each.behaviour for each in mine if each.behaviour),
            "refusals": Counter(each.refusal for each in mine if each.refusal),
            "ends": Counter(each.ends for each in accepted),
            "requests": dict(traffic.counts),
            "max_requests_per_second": traffic.busiest,
            "checks": sum(each.checks for each in accepted),
            "checks_after_end": sum(each.checks_after_end for each in accepted),
            "never_told": sum(each.told_end_at is None for each in accepted),
            "webhooks_sent": sum(each.webhooks_sent for each in accepted),
            "webhook_answers": Counter(str(answer) for each in accepted for _, answer in each.webhooks),
            "duplicates_by_webhook": _repeated((each.webhook, each.marker) for each in accepted),
            "duplicates_by_picture": _repeated((each.picture_sha256, each.marker) for each in accepted),
        }


def _repeated(pairs: Iterable[tuple[str | None, str]]) -> dict[str, list[str]]:
    """Keep the keys that more than one accepted submission shares, with their markers."""
    markers: defaultdict[str, list[str]] = defaultdict(list)
    for key, marker in pairs:
        if key:
            markers[key].append(marker)
    repeated = ((key, found) for key, found in markers.items() if len(found) > 1)
    return dict(islice(repeated, DUPLICATES_LISTED))
