"""The marks of `IN (?, ?, …)`, in few different numbers: a database prepares each text of a statement by itself."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

_SIZES = (1, 8, 64)


def in_groups(values: Iterable[T]) -> Iterator[tuple[str, list[T]]]:
    """Part values into groups of up to 64, each with its marks; the last value fills a group up, again and again."""
    left = list(values)
    for first in range(0, len(left), _SIZES[-1]):
        group = left[first : first + _SIZES[-1]]
        size = next(size for size in _SIZES if size >= len(group))
        yield ", ".join("?" * size), group + group[-1:] * (size - len(group))
