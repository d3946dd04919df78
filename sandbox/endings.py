"""When a video ends."""

import random

from sandbox.behaviours import Behaviour
from sandbox.plans import Choice
from sandbox.records import Submission
from sandbox.settings import SandboxSettings


def end_of(
    submission: Submission,
    behaviour: Behaviour,
    choice: Choice,
    settings: SandboxSettings,
    usual: float,
    chance: random.Random,
) -> float | None:
    """Say when a video ends that usually takes `usual` seconds; None is never."""
    if behaviour.ends == "never":
        return None
    if behaviour.pace == "at once":
        return submission.arrived_at
    if behaviour.pace == "late":
        return submission.arrived_at + (settings.late_seconds if choice.seconds is None else choice.seconds)
    return submission.arrived_at + usual * chance.uniform(1 - settings.jitter, 1 + settings.jitter)
