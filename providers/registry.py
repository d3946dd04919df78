"""The records of the providers that `schemas.names` lists. All that is known of one is in its own folder."""

from importlib import import_module

from providers.capabilities import Cancel, Capabilities, Lookup
from providers.prompt_motions import utf16_units
from schemas import names
from schemas.names import Motion, MotionForm, Provider

SHORT_LIVED = 2 * 3600.0
"""A result whose addresses expire within so many seconds is proven before it is announced, unless told otherwise."""


def _record(name: Provider) -> Capabilities:
    found: Capabilities = import_module(f"providers.{name}.capabilities").CAPABILITIES
    return found


PROVIDERS: dict[Provider, Capabilities] = {name: _record(name) for name in names.PROVIDERS}
"""In the order in which they are preferred, unless a setting says otherwise."""


def capabilities(provider: Provider) -> Capabilities:
    """Give the record of a provider."""
    return PROVIDERS[provider]


def offers(provider: Provider, motion: Motion) -> bool:
    """Say whether a provider can make this motion."""
    return PROVIDERS[provider].offers(motion)


def prompt_fault(provider: Provider, motion: Motion, prompt: str) -> str | None:
    """Say what is wrong with a caller's prompt that is longer than a provider takes; None for one that fits."""
    record = PROVIDERS[provider]
    offer = record.motions[motion]
    sentence = f"{offer.wire} " if offer.form is MotionForm.PROMPT and offer.wire else ""
    room = None if record.prompt_limit is None else record.prompt_limit - utf16_units(sentence)
    if room is None or utf16_units(prompt) <= room:
        return None
    return f"has {utf16_units(prompt)} UTF-16 code units; {provider} takes {room} beside the sentence for {motion}"


def motion_form(provider: Provider, motion: Motion) -> MotionForm | None:
    """Say how a provider is asked for a motion; None where it has none of that name, or is no more."""
    record = PROVIDERS.get(provider)
    offer = record.motions.get(motion) if record else None
    return None if offer is None else offer.form


def cancels(provider: Provider) -> Cancel:
    """Say what a provider makes of the wish to stop a job; nothing where it is no more."""
    record = PROVIDERS.get(provider)
    return record.cancel if record else Cancel.NONE


def cancel_forgets(provider: Provider) -> bool:
    """Say whether a provider does not know a job any more that it stopped."""
    record = PROVIDERS.get(provider)
    return record is not None and record.cancel_forgets


def lookup_of(provider: Provider) -> Lookup:
    """Say how a lost submission can be found at a provider; in no way where it is no more."""
    record = PROVIDERS.get(provider)
    return record.lookup if record else Lookup.NONE


def results_live(provider: Provider) -> float | None:
    """Say for how many seconds the addresses of a provider's results are good, where that is documented."""
    record = PROVIDERS.get(provider)
    return record.results_live if record else None
