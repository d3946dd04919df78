"""What HomeDesigns.ai can do: as its pages say, and no more. They document neither failures nor a refund."""

from types import MappingProxyType

from providers.capabilities import Capabilities, CredentialSetting, MotionOffer, PictureBounds, PictureForm
from schemas.names import Motion, MotionForm, Provider, RefundStatus
from schemas.video import Refund

CAPABILITIES = Capabilities(
    name=Provider("homedesigns"),
    label="HomeDesigns",
    client="providers.homedesigns.client:build",
    url="https://homedesigns.ai",
    credentials=(CredentialSetting("token"),),
    motions=MappingProxyType(
        {
            Motion.ZOOM_IN: MotionOffer("zoom_in"),
            Motion.ZOOM_OUT: MotionOffer("zoom_out"),
            Motion.PAN_UP: MotionOffer("pan_up"),
            Motion.PAN_DOWN: MotionOffer("pan_down"),
            # It has a single word for both directions.
            Motion.PAN_LEFT: MotionOffer("pan_left_right", MotionForm.APPROXIMATE),
            Motion.PAN_RIGHT: MotionOffer("pan_left_right", MotionForm.APPROXIMATE),
            Motion.PULLBACK: MotionOffer("camera_pullback"),
            Motion.ROTATE_CW: MotionOffer("rotate_cw"),
            Motion.ROTATE_CCW: MotionOffer("rotate_ccw"),
            Motion.LOOK_UP: MotionOffer("look_up"),
            Motion.LOOK_DOWN: MotionOffer("look_down"),
            Motion.AUTO: MotionOffer("combining_motions", MotionForm.APPROXIMATE),
        }
    ),
    picture=PictureForm.BYTES,
    picture_bounds=PictureBounds(min_side=512),
    failure_refund=Refund(status=RefundStatus.UNKNOWN, credits=None),
    refund_evidence="its pages say nothing of failures",
    rate=1.0,
    check_price=0.5,
)
