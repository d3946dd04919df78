"""Remember which events the broker refused, and when each may be tried again."""

from publisher.pace import Pace


class Refusals:
    """Events that were returned or refused; each waits longer from one refusal to the next.

    Kept in memory alone: another process, or this one after a restart, simply tries at once.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._refused: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._refused)

    def note(self, event_id: str, *, now: float) -> None:
        """Have an event wait, twice as long as the last time."""
        times, _ = self._refused.get(event_id, (0, 0.0))
        wait = min(self._pace.refused_most, self._pace.refused_least * 2.0 ** min(times, 30))
        self._refused[event_id] = (times + 1, now + wait)

    def forget(self, event_id: str) -> None:
        """Stop remembering an event: it was taken."""
        self._refused.pop(event_id, None)

    def waits(self, event_id: str, *, now: float) -> bool:
        """Say whether an event must still wait."""
        _, until = self._refused.get(event_id, (0, 0.0))
        return now < until
