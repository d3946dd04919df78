"""What IACrea can do: as its pages say, and no more."""

from types import MappingProxyType

from providers.capabilities import (
    Capabilities,
    CredentialSetting,
    Lookup,
    MotionOffer,
    PictureForm,
    SettingKind,
    Webhook,
    WebhookMoment,
)
from schemas.names import Motion, Provider, RefundStatus
from schemas.video import Refund

CAPABILITIES = Capabilities(
    name=Provider("iacrea"),
    label="IACrea",
    client="providers.iacrea.client:build",
    url="https://iacrea.com",
    credentials=(CredentialSetting("api_key"), CredentialSetting("user_id", SettingKind.ACCOUNT)),
    motions=MappingProxyType(
        {
            Motion.ZOOM_IN: MotionOffer("ZOOM_IN"),
            Motion.ZOOM_OUT: MotionOffer("ZOOM_OUT"),
            Motion.PAN_UP: MotionOffer("PAN_UP"),
            Motion.PAN_DOWN: MotionOffer("PAN_DOWN"),
            Motion.PAN_LEFT: MotionOffer("PAN_LEFT"),
            Motion.PAN_RIGHT: MotionOffer("PAN_RIGHT"),
            Motion.PULLBACK: MotionOffer("CAMERA_PUSH_OUT"),
            Motion.AUTO: MotionOffer("AUTO_EFFECTS"),
            Motion.AUTO_REVERSE: MotionOffer("AUTO_REVERSE"),
        }
    ),
    picture=PictureForm.ADDRESS,
    webhook=Webhook.UNSIGNED,
    webhook_moments=frozenset({WebhookMoment.END}),
    lookup=Lookup.WEBHOOK,
    failure_refund=Refund(status=RefundStatus.REFUNDED, credits=1),
    refund_evidence="its page promises the credit back, and only for a job that it reports as FAILED",
    rate=2.0,
    check_price=4.0,  # checks are only the safety net under its webhooks
)
