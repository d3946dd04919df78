"""How a guard is broken: names stand for something else for as long as a context lasts."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from unittest import mock


@dataclass(frozen=True)
class Mutant:
    """A broken guard; `apply` breaks it for as long as the context lasts."""

    name: str
    apply: Callable[[], AbstractContextManager[object]]


def patched(target: object, name: str, instead: object) -> Callable[[], AbstractContextManager[object]]:
    """Have one name stand for something else."""
    return lambda: mock.patch.object(target, name, instead)


@contextmanager
def all_of(*patches: AbstractContextManager[object]) -> Iterator[None]:
    """Break several things at once."""
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        yield
