"""Coroutines driven by hand: each `await` is a place where somebody else may come first, or where a process dies.

The code under test is the real one. What it awaits here are these objects, which say what must happen before it
goes on; the world decides when, and whether.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Step(Awaitable[T], Generic[T]):
    """Something to be done once for whoever awaits it, not before `at`."""

    do: Callable[[], T]
    at: float = 0.0
    what: str = ""

    def __await__(self) -> Generator["Step[T]", T, T]:
        result: T = yield self
        return result


class Task:
    """A coroutine of one process, stopped at a step."""

    __slots__ = ("_coroutine", "_error", "_result", "done", "name", "step")

    def __init__(self, name: str, coroutine: Coroutine[Any, Any, object]) -> None:
        self.name = name
        self.done = False
        self.step: Step[Any] | None = None
        self._coroutine = coroutine
        self._result: object = None
        self._error: BaseException | None = None
        self.go_on()

    def ready(self, now: float) -> bool:
        """Say whether it can go on now."""
        return self.step is None or self.step.at <= now

    def take_step(self) -> None:
        """Do what is awaited; whoever awaits it does not know yet."""
        assert self.step is not None
        self._result, self._error = None, None
        try:
            self._result = self.step.do()
        except Exception as error:
            self._error = error
        self.step = None

    def go_on(self) -> None:
        """Tell the coroutine what its step came to, and run it to the next one."""
        try:
            if self._error is None:
                self.step = self._coroutine.send(self._result)
            else:
                self.step = self._coroutine.throw(self._error)
        except StopIteration:
            self.done = True
        except BaseException:
            self.done = True
            raise
        self._result, self._error = None, None

    def cancel(self, error: BaseException) -> None:
        """Have the coroutine told, in the middle of its step, that it must end."""
        self.step, self._result, self._error = None, None, error

    def die(self) -> None:
        """Forget the coroutine as a crash does: nothing of it runs any more."""
        self._coroutine.close()
        self.done = True


class Silence:
    """A log that nobody reads: the history is told by the world itself."""

    def info(self, *_: object, **__: object) -> None:
        """Say nothing."""

    warning = error = info


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("it waits for something")
