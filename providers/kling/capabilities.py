"""What Kling can do, as its pages said in November 2026: the new API, with the model's version in the path."""

from datetime import date

from providers.capabilities import (
    Capabilities,
    CredentialSetting,
    Lookup,
    OptionSetting,
    OverLimit,
    PictureBounds,
    PictureForm,
    Webhook,
    WebhookMoment,
)
from providers.prompt_motions import PROMPT_MOTIONS
from providers.standard_webhooks import STANDARD_HEADERS
from schemas.names import Provider, RefundStatus
from schemas.video import Refund

CAPABILITIES = Capabilities(
    name=Provider("kling"),
    label="Kling",
    client="providers.kling.client:build",
    url="https://api-singapore.klingai.com",
    credentials=(CredentialSetting("api_key"), CredentialSetting("webhook_secret", required=False)),
    options=(
        OptionSetting("model", "kling-2.6", "the model in the path"),
        OptionSetting("duration", "5", "seconds: 5 or 10 for 2.5 and 2.6, 3 to 15 for 3.0"),
        OptionSetting("resolution", "720p", "720p, 1080p or 4k, by model"),
    ),
    options_date=date(2026, 11, 20),
    motions=PROMPT_MOTIONS,
    prompt_limit=2500,
    picture=PictureForm.ADDRESS,
    picture_bounds=PictureBounds(max_bytes=50_000_000, min_side=300, ratio=(0.4, 2.5)),
    webhook=Webhook.SIGNED,
    webhook_moments=frozenset({WebhookMoment.START, WebhookMoment.CHANGE, WebhookMoment.END}),
    webhook_headers=STANDARD_HEADERS,
    webhook_names_job=True,
    webhook_is_report=True,
    lookup=Lookup.BY_NAME,
    jobs_per_check=50,
    failure_refund=Refund(status=RefundStatus.UNKNOWN, credits=None),
    refund_evidence="the `billing` of each task: all amounts 0 is not charged, any other charged, absent unknown",
    unit="unit",
    over_limit=OverLimit.REFUSED,
    rate=5.0,
    results_live=30 * 86400.0,
)
