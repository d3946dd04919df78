"""A provider's budget serves what is paid first, whatever the mix of generators and pollers that draw on it."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from statistics import median

import pytest

from jobs import check, learning, submission_claims, submit
from jobs.policy import STORE_POLL_SECONDS
from providers.reports import Accepted, Ready, Report, Working
from schemas.names import Provider, ProviderChoice
from store.attempts import AttemptRow
from tests.support.job_scenario import CLIP, START, JobScenario

HOMEDESIGNS = Provider("homedesigns")
HALF_AN_HOUR = 1800.0
TURN = 0.25
ANSWERED_AFTER = 1.0


@dataclass
class Rush:
    """Half an hour in which a video is asked for each second, of a provider that takes one request a second."""

    generators: int
    pollers: int
    made_in: float
    desk: JobScenario = field(default_factory=JobScenario)
    chance: random.Random = field(default_factory=lambda: random.Random(11))
    made_at: dict[str, float] = field(default_factory=dict)
    found_late: list[float] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)
    answers: list[tuple[float, int, AttemptRow, bool]] = field(default_factory=list)

    def live(self) -> None:
        asked = 0
        while self.desk.now < START + HALF_AN_HOUR:
            self.desk.now += TURN
            while self.answers and self.answers[0][0] <= self.desk.now:
                _, _, attempt, submitted = heapq.heappop(self.answers)
                (self._accepted if submitted else self._answered)(attempt)
            if asked < self.desk.now - START:
                asked += 1
                self.desk.routed(choice=ProviderChoice("homedesigns"))
            turns = [self._submit] * self.generators + [self._check] * self.pollers
            self.chance.shuffle(turns)
            for take in turns:
                take()

    def _submit(self) -> None:
        found = self.desk.do(
            submission_claims.claim, self.desk.policy, HOMEDESIGNS, owner="g", room=8, now=self.desk.now
        )
        for attempt, _ in found.work:
            assert self.desk.do(submit.send, attempt.id, owner="g", now=self.desk.now)
            self._answer(attempt, submitted=True)

    def _check(self) -> None:
        for attempt in self.desk.due(HOMEDESIGNS, room=16):
            self._answer(attempt, submitted=False)

    def _answer(self, attempt: AttemptRow, *, submitted: bool) -> None:
        heapq.heappush(self.answers, (self.desk.now + ANSWERED_AFTER, next(self.numbers), attempt, submitted))

    def _accepted(self, attempt: AttemptRow) -> None:
        answer = Accepted(f"job-{attempt.id}")
        now = self.desk.now
        self.desk.do(submit.accepted, self.desk.policy, attempt, answer, sent_at=now - ANSWERED_AFTER, now=now)
        self.made_at[attempt.id] = now + self.made_in * self.chance.uniform(0.8, 1.2)

    def _answered(self, attempt: AttemptRow) -> None:
        made = self.made_at[attempt.id] <= self.desk.now - ANSWERED_AFTER
        report: Report = Ready((CLIP,)) if made else Working()
        now = self.desk.now
        decision = self.desk.do(check.apply, self.desk.policy, attempt, report, owner="poller-1", now=now)
        if made:
            self.found_late.append(self.desk.now - self.made_at[attempt.id])
        lesson = decision and check.lesson(attempt, report, decision, now=now)
        if lesson:
            self.desk.do(learning.learn, [lesson])


@pytest.mark.parametrize(("generators", "pollers"), [(1, 1), (8, 1), (1, 3)])
@pytest.mark.parametrize("made_in", [55.0, 300.0])
def test_in_a_rush_what_is_paid_is_found_in_time(generators: int, pollers: int, made_in: float) -> None:
    rush = Rush(generators, pollers, made_in)
    rush.live()
    timed_out = rush.desk.connection.execute("SELECT COUNT(*) FROM attempts WHERE error_code = 'timed_out'").fetchone()
    assert timed_out == (0,)
    assert median(rush.found_late) <= 15
    assert len(rush.made_at) - len(rush.found_late) <= made_in, "hardly more are open than one may look at"


def test_a_poller_that_is_gone_keeps_new_jobs_from_being_opened() -> None:
    desk = JobScenario()
    desk.generating(HOMEDESIGNS)
    desk.routed(choice=ProviderChoice("homedesigns"))
    desk.now += 60
    claim = desk.do(submission_claims.claim, desk.policy, HOMEDESIGNS, owner="g", room=8, now=desk.now)
    assert (claim.work, claim.again_at) == ([], desk.now + STORE_POLL_SECONDS)
    [claimed] = desk.due(HOMEDESIGNS)
    desk.learn(claimed, Working())
    assert desk.do(submission_claims.claim, desk.policy, HOMEDESIGNS, owner="g", room=8, now=desk.now).work
