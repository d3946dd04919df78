"""What Runway can do, as its pages said in November 2026."""

from datetime import date

from providers.capabilities import (
    Cancel,
    Capabilities,
    CredentialSetting,
    OptionSetting,
    OverLimit,
    PictureBounds,
    PictureForm,
)
from providers.prompt_motions import PROMPT_MOTIONS
from schemas.names import Provider, RefundStatus
from schemas.video import Refund

CAPABILITIES = Capabilities(
    name=Provider("runway"),
    label="Runway",
    client="providers.runway.client:build",
    url="https://api.dev.runwayml.com",
    credentials=(CredentialSetting("secret"),),
    options=(
        OptionSetting("model", "gen4_turbo", "the model"),
        OptionSetting("duration", "5", "seconds"),
        OptionSetting("landscape", "1280:720", "the ratio of a landscape video"),
        OptionSetting("portrait", "720:1280", "the ratio of a portrait video"),
        OptionSetting("version", "2024-11-06", "the version of its API"),
    ),
    options_date=date(2026, 11, 20),
    motions=PROMPT_MOTIONS,
    prompt_limit=1000,
    picture=PictureForm.ADDRESS,
    picture_bounds=PictureBounds(max_bytes=16_000_000, asks_head=True),
    cancel=Cancel.CERTAIN,
    cancel_forgets=True,
    failure_refund=Refund(status=RefundStatus.UNKNOWN, credits=None),
    refund_evidence="its pages: moderated generations cost the same credits; nothing is said of the others",
    over_limit=OverLimit.WAITS,
    rate=2.0,
    results_live=86400.0,
    results_renewable=True,
)
