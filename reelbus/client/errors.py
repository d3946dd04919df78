"""What a client raises."""

from typing import Any


class ServiceError(Exception):
    """The service refused a request. `problem` is the whole document (RFC 9457), empty where the answer was none."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.problem = problem
        self.code: str = str(problem.get("code", "unknown"))
        """Stable: branch on it. `/docs/problems` of the service explains each."""
        self.detail: str = str(problem.get("detail", f"the service answered {status}"))
        super().__init__(f"{self.code}: {self.detail}" if problem else self.detail)


class ServiceAway(Exception):
    """The service cannot be reached, or the connection broke; what was asked may have been done or not."""


class NoEvent(ValueError):
    """A message is no event of the service."""
