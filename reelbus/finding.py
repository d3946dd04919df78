"""One thing that the doctor found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was examined, what came of it (ok, warn, off or fail), and for a fault its mend."""

    subject: str
    verdict: str
    detail: str
    mend: str = ""
