"""What every reader of JSON refuses."""

from typing import NoReturn


def refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python's decoder would take for numbers."""
    raise ValueError(f"{name} is no JSON number")
