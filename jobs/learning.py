"""Keep in the store what is learnt of how long each provider's jobs take.

The lessons of ends are kept some at a time, beside the transactions that end attempts and not in them: to lose a few
with a process that dies changes no plan, and to weigh each one costs as much as a good part of an end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.durations import Plan
from schemas.names import Provider
from store import durations
from store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Observation:
    """A job was unfinished at one age and over at another, in seconds; `inf` if it was given up unfinished."""

    provider: Provider
    unfinished_at: float
    finished_at: float


def plan(tx: Tx, provider: Provider) -> Plan:
    """Read what is known of how long a provider's jobs take."""
    stored = durations.load(tx, provider)
    return Plan() if stored is None else Plan.loads(stored)


def learn(tx: Tx, lessons: Sequence[Observation]) -> None:
    """Add lessons to what is known of their providers, in their order."""
    for provider in dict.fromkeys(lesson.provider for lesson in lessons):
        tx.lock(f"durations of {provider}")
        theirs = [lesson for lesson in lessons if lesson.provider == provider]
        learnt = plan(tx, provider)
        for lesson in theirs:
            learnt = learnt.seen(lesson.unfinished_at, lesson.finished_at)
        durations.save(tx, provider, learnt.dumps(), completions=len(theirs))
