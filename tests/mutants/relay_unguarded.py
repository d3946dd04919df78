"""A pytest plugin that breaks one guard of the relay, named in `REELBUS_TEST_MUTANT`, for a test that must notice."""

import inspect
import os
from collections.abc import Callable
from typing import Any

from publisher import relay
from publisher.lease import Lease
from publisher.relay import Relay


def _source_changed(function: Callable[..., Any], before: str, after: str) -> Callable[..., Any]:
    source = inspect.getsource(function)
    assert before in source, "the guard looks otherwise now: mend the mutant"
    names = dict(vars(relay))
    exec("class _:\n" + source.replace(before, after), names)  # noqa: S102 - our own source, with a guard taken out
    changed: Callable[..., Any] = vars(names["_"])[function.__name__]
    return changed


def sends_without_the_lease() -> None:
    Relay.work = _source_changed(Relay.work, "if events and lease.held:", "if events:")  # type: ignore[method-assign]


def believes_its_event() -> None:
    Lease.held = property(lambda self: self.turn.is_set())  # type: ignore[method-assign,assignment]


def forgets_to_mark() -> None:
    mark = _source_changed(Relay._mark, "if self._stop.is_set():", "if True:")
    Relay._mark = mark  # type: ignore[method-assign]


{mutant.__name__: mutant for mutant in (sends_without_the_lease, believes_its_event, forgets_to_mark)}[
    os.environ["REELBUS_TEST_MUTANT"]
]()
