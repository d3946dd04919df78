"""Motions for providers that have no word for them: a sentence at the head of the prompt, which is a wish."""

from collections.abc import Mapping
from types import MappingProxyType

from providers.capabilities import MotionOffer
from schemas.names import Motion, MotionForm

_STILL = "The scene itself stays still."

_SENTENCES = {
    Motion.ZOOM_IN: "The camera slowly zooms in on the scene, without moving sideways.",
    Motion.ZOOM_OUT: "The camera slowly zooms out from the scene, without moving sideways.",
    Motion.PAN_LEFT: "The camera slides smoothly to the left, keeping its height.",
    Motion.PAN_RIGHT: "The camera slides smoothly to the right, keeping its height.",
    Motion.PAN_UP: "The camera rises smoothly, keeping its direction.",
    Motion.PAN_DOWN: "The camera descends smoothly, keeping its direction.",
    Motion.PULLBACK: "The camera slowly dollies backward, away from the scene.",
    Motion.LOOK_UP: "The camera stays in place and tilts slowly upward.",
    Motion.LOOK_DOWN: "The camera stays in place and tilts slowly downward.",
    Motion.ROTATE_CW: "The camera rolls slowly clockwise around its axis.",
    Motion.ROTATE_CCW: "The camera rolls slowly counterclockwise around its axis.",
}

PROMPT_MOTIONS: Mapping[Motion, MotionOffer] = MappingProxyType(
    {motion: MotionOffer(f"{said} {_STILL}", MotionForm.PROMPT) for motion, said in _SENTENCES.items()}
    | {Motion.AUTO: MotionOffer("", MotionForm.PROMPT)}
)
"""What every such provider offers: `auto` is no sentence at all, and `auto_reverse` cannot be asked for."""


def whole_prompt(offer: MotionOffer, wish: str | None) -> str:
    """Write the sentence of a motion, then the caller's words; nothing is cut."""
    return " ".join(part for part in (offer.wire, wish) if part)


def utf16_units(text: str) -> int:
    """Count as providers that are written in JavaScript do: a character beyond the first 65,536 is two."""
    return len(text.encode("utf-16-le")) // 2
