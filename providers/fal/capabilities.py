"""What fal can do, as its pages said in November 2026. Models and the names of their inputs are settings."""

from datetime import date

from providers.capabilities import (
    Cancel,
    Capabilities,
    CredentialSetting,
    Deadline,
    Lookup,
    OptionSetting,
    OverLimit,
    PictureBounds,
    PictureForm,
    Webhook,
    WebhookMoment,
)
from providers.prompt_motions import PROMPT_MOTIONS
from schemas.names import Provider, RefundStatus
from schemas.video import Refund

CAPABILITIES = Capabilities(
    name=Provider("fal"),
    label="fal",
    client="providers.fal.client:build",
    url="https://queue.fal.run",
    credentials=(CredentialSetting("key"),),
    options=(
        OptionSetting("model", "fal-ai/kling-video/v2.5-turbo/standard/image-to-video", "the endpoint's id"),
        OptionSetting("image_field", "image_url", "the model's input for the picture"),
        OptionSetting("duration", "5", "the model's input of that name, as text; empty leaves it out"),
        OptionSetting("resolution", "", "the model's input of that name; empty leaves it out"),
        OptionSetting("account", "", "the user id in its webhooks; empty learns it from the first for a known job"),
        OptionSetting("platform_url", "https://api.fal.ai", "where the list of past requests is"),
        OptionSetting("keys_url", "https://rest.fal.ai/.well-known/jwks.json", "where its public keys are"),
    ),
    options_date=date(2026, 11, 20),
    motions=PROMPT_MOTIONS,
    prompt_limit=2500,
    picture=PictureForm.ADDRESS,
    picture_bounds=PictureBounds(max_bytes=30_000_000, min_side=300, ratio=(0.4, 2.5)),
    webhook=Webhook.SIGNED,
    webhook_moments=frozenset({WebhookMoment.END}),
    webhook_headers=(
        "x-fal-webhook-request-id",
        "x-fal-webhook-user-id",
        "x-fal-webhook-timestamp",
        "x-fal-webhook-signature",
    ),
    webhook_names_job=True,
    lookup=Lookup.WEBHOOK,
    cancel=Cancel.WISH,
    deadline=Deadline.START_BY,
    requests_per_check=2,
    failure_refund=Refund(status=RefundStatus.UNKNOWN, credits=None),
    refund_evidence="its FAQ: a 5xx is never charged; a 422 may be, if a runner worked before it was noticed",
    unit="USD",
    over_limit=OverLimit.WAITS,
    rate=5.0,
    results_live=7 * 86400.0,
)
