"""The providers there are: one line each. All that is known of one is in its own folder."""

from providers.capabilities import Capabilities
from providers.homedesigns.capabilities import HOMEDESIGNS
from providers.iacrea.capabilities import IACREA
from schemas.names import Motion, MotionForm, Provider

PROVIDERS: dict[Provider, Capabilities] = {each.name: each for each in (IACREA, HOMEDESIGNS)}
"""In the order in which they are preferred, unless a setting says otherwise."""


def capabilities(provider: Provider) -> Capabilities:
    """Give the record of a provider."""
    return PROVIDERS[provider]


def offers(provider: Provider, motion: Motion) -> bool:
    """Say whether a provider can make this motion."""
    return PROVIDERS[provider].offers(motion)


def motion_form(provider: Provider, motion: Motion) -> MotionForm | None:
    """Say how a provider is asked for a motion; None where it has none of that name (any more)."""
    offer = PROVIDERS[provider].motions.get(motion)
    return None if offer is None else offer.form
