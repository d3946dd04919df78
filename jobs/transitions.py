"""The one table of what may follow what in an attempt's life.

    waiting ──claim──► claimed ──send──► sending ──accept──► generating ──► succeeded
       ▲                  │                 │ │                  ▲     └──► failed
       ├──release, retry──┴─────retry───────┘ └─lose─► unconfirmed ─accept─┘
       └──────────────────send again (proven absent)───────┘└──► succeeded, failed

Each step is one compare-and-set; who comes second changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from store import attempts
from store.attempts import AttemptRow
from store.attempts import AttemptState as State
from store.transaction import Tx


@dataclass(frozen=True, slots=True)
class Transition:
    """A step to a state, open to attempts in one of `among`."""

    to: State
    from_states: frozenset[State]


CLAIM = Transition(State.CLAIMED, frozenset({State.WAITING, State.CLAIMED}))
RELEASE = Transition(State.WAITING, frozenset({State.CLAIMED}))
SEND = Transition(State.SENDING, frozenset({State.CLAIMED}))
RETRY = Transition(State.WAITING, frozenset({State.CLAIMED, State.SENDING}))
OUTCOME_UNKNOWN = Transition(State.UNCONFIRMED, frozenset({State.SENDING}))
ACCEPT = Transition(State.GENERATING, frozenset({State.SENDING, State.UNCONFIRMED}))
WAIT = Transition(State.GENERATING, frozenset({State.GENERATING}))
KEEP_WAITING = Transition(State.UNCONFIRMED, frozenset({State.UNCONFIRMED}))
SUCCEED = Transition(State.SUCCEEDED, frozenset({State.UNCONFIRMED, State.GENERATING}))
NAME_JOB = Transition(State.SUCCEEDED, frozenset({State.SUCCEEDED}))
FAIL = Transition(
    State.FAILED,
    frozenset({State.WAITING, State.CLAIMED, State.SENDING, State.UNCONFIRMED, State.GENERATING}),
)
CANCEL_UNSENT = Transition(State.FAILED, frozenset({State.WAITING, State.CLAIMED}))
SEND_AGAIN = Transition(State.WAITING, frozenset({State.UNCONFIRMED}))
GIVE_UP_WAITING = Transition(State.FAILED, frozenset({State.WAITING}))
KEEP_WATCHING = Transition(State.FAILED, frozenset({State.FAILED}))

TRANSITIONS: Mapping[str, Transition] = MappingProxyType(
    {name: value for name, value in list(globals().items()) if isinstance(value, Transition)}
)
"""Every step by its name."""

RELEASED_LEASE: Mapping[str, object] = MappingProxyType({"lease_owner": None, "lease_until": 0.0})
"""The columns that give a lease back."""


def apply_transition(
    tx: Tx,
    step: Transition,
    attempt_id: str,
    columns: Mapping[str, object] = MappingProxyType({}),
    *,
    owner: str | None = None,
) -> bool:
    """Take a step with an attempt and set columns; say whether it was still open to it.

    With `owner` the attempt's lease must also still be the owner's.
    """
    return attempts.change(tx, attempt_id, step.to, columns, from_states=step.from_states, owner=owner)


def apply_to_held(
    tx: Tx, step: Transition, held: AttemptRow, columns: Mapping[str, object] = MappingProxyType({})
) -> bool:
    """Take a step with an attempt that this transaction has read and holds; say whether it was open to it.

    Nobody else can have moved it since it was read, so the database need not be waited for.
    """
    if held.state not in step.from_states:
        return False
    attempts.ask_change(tx, held.id, step.to, columns, from_states=step.from_states)
    return True
