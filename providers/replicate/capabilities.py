"""What Replicate can do, as its pages said in November 2026. Models and the names of their inputs are settings."""

from datetime import date

from providers.capabilities import (
    Cancel,
    Capabilities,
    CredentialSetting,
    Deadline,
    Lookup,
    OptionSetting,
    OverLimit,
    PictureForm,
    Webhook,
    WebhookMoment,
)
from providers.prompt_motions import PROMPT_MOTIONS
from providers.standard_webhooks import STANDARD_HEADERS
from schemas.names import Provider, RefundStatus
from schemas.video import Refund

CAPABILITIES = Capabilities(
    name=Provider("replicate"),
    label="Replicate",
    client="providers.replicate.client:build",
    url="https://api.replicate.com",
    credentials=(CredentialSetting("token"),),
    options=(
        OptionSetting("model", "wan-video/wan-2.2-i2v-fast", "owner/name of an official model"),
        OptionSetting("image_field", "image", "the model's input for the picture"),
        OptionSetting("duration", "", "the model's input of that name; empty leaves it out"),
        OptionSetting("resolution", "", "the model's input of that name; empty leaves it out"),
    ),
    options_date=date(2026, 11, 20),
    motions=PROMPT_MOTIONS,
    picture=PictureForm.ADDRESS,
    webhook=Webhook.SIGNED,
    webhook_moments=frozenset({WebhookMoment.START, WebhookMoment.END}),
    webhook_headers=STANDARD_HEADERS,
    webhook_names_job=True,
    webhook_is_report=True,
    lookup=Lookup.SEARCH,
    cancel=Cancel.CERTAIN,
    deadline=Deadline.END_BY,
    failure_refund=Refund(status=RefundStatus.UNKNOWN, credits=None),
    refund_evidence="its pages: `aborted` is not charged, `canceled` is for the time it ran; of `failed` nothing",
    unit="USD",
    over_limit=OverLimit.REFUSED,
    rate=25.0,
    submission_rate=5.0,
    results_live=3600.0,
    results_protected=True,
)
