"""The request for a video, as JSON, forms and commands have it."""

import re
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, StrictStr
from pydantic_core import PydanticCustomError

from schemas.addresses import MAX_URL_CHARACTERS
from schemas.names import AUTO, PROVIDERS, Motion, Orientation, Provider, ProviderChoice
from schemas.video import Document

MAX_PROMPT = 2000
MAX_METADATA = 16
MAX_IDEMPOTENCY_KEY = 255
MAX_TEXT_BYTES = 48 * 1024
"""Bytes of prompt and metadata in JSON, so that an event stays under 64 KiB; only control characters take so many."""

SURROGATE = re.compile("[\ud800-\udfff]")


def _storable(text: str) -> str:
    """Refuse NUL, at which some stores end a text, and what cannot be written in UTF-8."""
    if "\x00" in text or not (text.isascii() or SURROGATE.search(text) is None):
        raise ValueError(UNSTORABLE)
    return text


UNSTORABLE = "must not contain NUL or half of a surrogate pair"
_NO_NUL = {"pattern": "^[^\x00]*$"}

Text = Annotated[StrictStr, AfterValidator(_storable)]
MetadataKey = Annotated[Text, Field(min_length=1, max_length=64)]
MetadataValue = Annotated[Text, Field(max_length=512, json_schema_extra=_NO_NUL)]


def _known(choice: ProviderChoice) -> ProviderChoice:
    if choice != AUTO and Provider(choice) not in PROVIDERS:
        raise PydanticCustomError(
            "unknown_provider", "must be one of {names}", {"names": ", ".join([AUTO, *PROVIDERS])}
        )
    return choice


class VideoRequest(Document):
    """A picture and what to make of it. Exactly one of the picture's fields is given."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    image_url: Annotated[
        StrictStr | None,
        Field(
            min_length=1,
            max_length=MAX_URL_CHARACTERS,
            description="Public http or https address of a PNG or JPEG picture, without user or password.",
            examples=["https://example.com/house.jpg"],
        ),
    ] = None
    image_base64: Annotated[
        StrictStr | None,
        Field(
            min_length=1,
            description="The picture's bytes in Base64, plain or as a data: URL; white space is ignored.",
        ),
    ] = None
    motion: Annotated[Motion, Field(description="How the camera moves.")]
    prompt: Annotated[
        Text | None,
        Field(max_length=MAX_PROMPT, description="What else the video should show.", json_schema_extra=_NO_NUL),
    ] = None
    orientation: Annotated[Orientation, Field(description="The video's orientation.")] = Orientation.LANDSCAPE
    provider: Annotated[
        ProviderChoice,
        AfterValidator(_known),
        Field(
            description="A provider, or auto for the first that has the motion.",
            json_schema_extra=lambda schema: schema.update(enum=[AUTO, *PROVIDERS]),
        ),
    ] = AUTO
    fallback: Annotated[
        StrictBool | None,
        Field(description="Whether another provider may be tried. Default: true with auto, else false."),
    ] = None
    metadata: Annotated[
        dict[MetadataKey, MetadataValue],
        Field(
            default_factory=dict,
            max_length=MAX_METADATA,
            description="String pairs of your own; come back in every event.",
        ),
    ]

    @property
    def may_fall_back(self) -> bool:
        """Whether another provider may be tried."""
        return self.provider == AUTO if self.fallback is None else self.fallback
