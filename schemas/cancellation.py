"""What came of the wish to stop a video."""

from typing import Annotated

from pydantic import Field

from schemas.names import CancelOutcome, VideoStatus
from schemas.video import Document, Refund


class Cancellation(Document):
    """How far a video is stopped: done, wished (its provider decides) or too late; and what becomes of its credit."""

    id: str
    outcome: CancelOutcome
    message: str
    refund: Annotated[
        Refund | None, Field(description="What it costs: `unknown` while nobody can say; of a ready video `charged`.")
    ]
    status: VideoStatus
