"""Answers of providers whose shape no page documents, as the API shows them."""

from typing import Annotated, Any

from pydantic import Field

from schemas.video import Document, OpenProvider, Timestamp


class UndocumentedAnswer(Document):
    """One shape of answers to checks, kept once: `body` has every value replaced by what kind of value it is."""

    provider: OpenProvider
    shape: str
    status: int
    content_type: str
    body: Any
    read_as: Annotated[str, Field(description="What it was taken for when it was first seen, as in `working`.")]
    release: Annotated[str, Field(description="The release that saw it first.")]
    first_at: Timestamp
    last_at: Timestamp
    seen: int


class Drift(Document):
    """Every such shape, in the order in which they were first seen."""

    items: list[UndocumentedAnswer]
