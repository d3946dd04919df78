"""Which provider offers which motion, and under what name on its wire.

Several of our motions may share one of a provider's names: HomeDesigns has a single `pan_left_right`, and
its `combining_motions` stands in for `auto`. A motion that is missing from a provider's table is refused
for that provider, never replaced.
"""

from collections.abc import Mapping
from types import MappingProxyType

from schemas.names import Motion, Provider

_IACREA = {
    Motion.ZOOM_IN: "ZOOM_IN",
    Motion.ZOOM_OUT: "ZOOM_OUT",
    Motion.PAN_UP: "PAN_UP",
    Motion.PAN_DOWN: "PAN_DOWN",
    Motion.PAN_LEFT: "PAN_LEFT",
    Motion.PAN_RIGHT: "PAN_RIGHT",
    Motion.PULLBACK: "CAMERA_PUSH_OUT",
    Motion.AUTO: "AUTO_EFFECTS",
    Motion.AUTO_REVERSE: "AUTO_REVERSE",
}

_HOMEDESIGNS = {
    Motion.ZOOM_IN: "zoom_in",
    Motion.ZOOM_OUT: "zoom_out",
    Motion.PAN_UP: "pan_up",
    Motion.PAN_DOWN: "pan_down",
    Motion.PAN_LEFT: "pan_left_right",
    Motion.PAN_RIGHT: "pan_left_right",
    Motion.PULLBACK: "camera_pullback",
    Motion.ROTATE_CW: "rotate_cw",
    Motion.ROTATE_CCW: "rotate_ccw",
    Motion.LOOK_UP: "look_up",
    Motion.LOOK_DOWN: "look_down",
    Motion.AUTO: "combining_motions",
}

WIRE_NAMES: Mapping[Provider, Mapping[Motion, str]] = MappingProxyType(
    {Provider.IACREA: MappingProxyType(_IACREA), Provider.HOMEDESIGNS: MappingProxyType(_HOMEDESIGNS)}
)
"""For each provider, its own word for each motion that it offers."""


def offers(provider: Provider, motion: Motion) -> bool:
    """Say whether `provider` can make this motion."""
    return motion in WIRE_NAMES[provider]
