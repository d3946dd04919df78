"""The one table of what may follow what in an attempt's life.

    waiting ──claim──► claimed ──send──► sending ──accept──► generating ──► succeeded
       ▲                  │                 │ │                  ▲     └──► failed
       └──release, retry──┴─────retry───────┘ └─lose─► unconfirmed ─accept─┘
                                                            └──► succeeded, failed

Each step is one compare-and-set; who comes second changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from store import attempts
from store.attempts import AttemptState as State
from store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Step:
    """A step to a state, open to attempts in one of `among`."""

    to: State
    among: frozenset[State]


CLAIM = Step(State.CLAIMED, frozenset({State.WAITING, State.CLAIMED}))
RELEASE = Step(State.WAITING, frozenset({State.CLAIMED}))
SEND = Step(State.SENDING, frozenset({State.CLAIMED}))
RETRY = Step(State.WAITING, frozenset({State.CLAIMED, State.SENDING}))
LOSE = Step(State.UNCONFIRMED, frozenset({State.SENDING}))
ACCEPT = Step(State.GENERATING, frozenset({State.SENDING, State.UNCONFIRMED}))
WAIT = Step(State.GENERATING, frozenset({State.GENERATING}))
KEEP_WAITING = Step(State.UNCONFIRMED, frozenset({State.UNCONFIRMED}))
SUCCEED = Step(State.SUCCEEDED, frozenset({State.UNCONFIRMED, State.GENERATING}))
FAIL = Step(
    State.FAILED,
    frozenset({State.WAITING, State.CLAIMED, State.SENDING, State.UNCONFIRMED, State.GENERATING}),
)
WATCH_ON = Step(State.FAILED, frozenset({State.FAILED}))

STEPS: Mapping[str, Step] = MappingProxyType(
    {name: value for name, value in list(globals().items()) if isinstance(value, Step)}
)
"""Every step by its name."""

FREE: Mapping[str, object] = MappingProxyType({"lease_owner": None, "lease_until": 0.0})
"""The columns that give a lease back."""


def take(
    tx: Tx,
    step: Step,
    attempt_id: str,
    columns: Mapping[str, object] = MappingProxyType({}),
    *,
    owner: str | None = None,
) -> bool:
    """Take a step with an attempt and set columns; say whether it was still open to it.

    With `owner` the attempt's lease must also still be the owner's.
    """
    return attempts.change(tx, attempt_id, step.to, columns, among=step.among, owner=owner)
