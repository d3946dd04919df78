"""Bound the disk space that bodies of unfinished requests take, in total and for each caller."""

from collections import Counter

from schemas.problem import ProblemCode, Refusal


class Spool:
    """Space for bodies too large for memory. One caller may fill half of it, so that the others are served too."""

    def __init__(self, size: int) -> None:
        """Take the space in bytes."""
        self.size = size
        self.used = 0
        self._of: Counter[str] = Counter()

    def reserve(self, caller: str, size: int) -> None:
        """Take so many bytes more. Raises `Refusal` (overloaded) where there is no such room."""
        if self.used + size > self.size or self._of[caller] + size > self.size // 2:
            detail = "too many large uploads are under way; try again, or send the picture's address as image_url"
            raise Refusal(ProblemCode.OVERLOADED, detail, retry_after=5)
        self.used += size
        self._of[caller] += size

    def release(self, caller: str, size: int) -> None:
        """Give bytes back."""
        self.used -= size
        self._of[caller] -= size
        if not self._of[caller]:
            del self._of[caller]
