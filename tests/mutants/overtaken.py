"""The guards of those whom somebody else, or a clock, has overtaken, each broken by hand."""

from types import SimpleNamespace
from typing import Any

from jobs import check
from process.clock import ClockWatch, Reading
from publisher.lease import Turn
from store.leases import Held
from store.transaction import Tx
from tests.mutants.breaking import Mutant, patched
from tests.mutants.mutants import taken_whosever_it_is


def decided_by_ones_own_clock(watch: ClockWatch, tx: Tx, seen: Reading, work: Any, *args: Any, **kwargs: Any) -> Any:
    if seen.step or not watch._mended:
        watch._mend(tx, "machine", step=seen.step, ahead=seen.ahead, now=seen.wall)
    return work(tx, *args, now=seen.wall, **kwargs)


def unrenewed_at_once(turn: Turn, *, at: float) -> Held | None:
    del at
    return turn._seen


OVERTAKEN: dict[str, Mutant] = {
    "a step that another process mended is compared": Mutant(
        "one's own eye for steps is enough", patched(ClockWatch, "_work", decided_by_ones_own_clock)
    ),
    "a relay's lease that is renewed is its own": Mutant(
        "another's lease is over when it is seen", patched(Turn, "lapsed", unrenewed_at_once)
    ),
    "a check that was overtaken is dropped": Mutant(
        "a stale owner reschedules a check", patched(check, "apply_transition", taken_whosever_it_is)
    ),
    "a webhook during a check of a job counts": Mutant(
        "a check that ends in waiting overlooks a webhook",
        patched(check, "check_claims", SimpleNamespace(woken_meanwhile=lambda _tx, _attempt: False)),
    ),
}
"""Each by the name of the check in `test_gate` that must notice."""
