"""Which provider makes a video: pure choices from preference, motion and what was tried."""

from collections.abc import Collection, Sequence

from providers.registry import PROVIDERS, offers, prompt_fault
from schemas.names import AUTO, Motion, Provider, ProviderChoice
from schemas.problem import FieldFault, ProblemCode, Refusal


def choose(choice: ProviderChoice, motion: Motion, enabled: Sequence[Provider]) -> Provider | None:
    """Name the first provider to try, or None where no enabled one fits."""
    fitting = (provider for provider in enabled if offers(provider, motion))
    if choice == AUTO:
        return next(fitting, None)
    return next((provider for provider in fitting if str(provider) == choice), None)


def choose_first(
    choice: ProviderChoice, motion: Motion, enabled: Sequence[Provider], willing: Sequence[Provider]
) -> Provider | None:
    """Name the first provider to try: with `auto` one that takes work now, if any does; None where none fits."""
    now = choose(choice, motion, willing) if choice == AUTO else None
    return now or choose(choice, motion, enabled)


def choose_next(motion: Motion, enabled: Sequence[Provider], tried: Collection[Provider]) -> Provider | None:
    """Name the provider to fall back to, or None where each fitting one was tried."""
    return next((provider for provider in enabled if offers(provider, motion) and provider not in tried), None)


def refuse_unroutable(choice: ProviderChoice, motion: Motion, enabled: Sequence[Provider]) -> None:
    """Raise `Refusal` if no enabled provider that the caller allows has the motion."""
    if choice != AUTO and Provider(choice) not in enabled:
        raise Refusal(
            ProblemCode.PROVIDER_DISABLED,
            f"provider: {choice} is switched off here; choose {_listed(enabled)}, or give {choice} its credentials",
        )
    if not enabled:
        raise Refusal(ProblemCode.PROVIDER_DISABLED, "provider: none has credentials here; set those of at least one")
    if choose(choice, motion, enabled) is None:
        having = [provider for provider in PROVIDERS if offers(provider, motion)]
        raise Refusal(
            ProblemCode.MOTION_UNSUPPORTED,
            f"motion: {motion} is not offered by {_named(choice, enabled)}; it is by {_listed(having)}."
            " Choose another motion or another provider",
        )


def refuse_long_prompt(choice: ProviderChoice, motion: Motion, prompt: str | None, enabled: Sequence[Provider]) -> None:
    """Raise `Refusal` if no enabled provider that the caller allows takes so long a prompt: nothing is ever cut."""
    fitting = [each for each in enabled if choice in {AUTO, str(each)} and offers(each, motion)]
    faults = [prompt_fault(provider, motion, prompt or "") for provider in fitting]
    told = [fault for fault in faults if fault is not None]
    if told and len(told) == len(fitting):
        message = f"{'; '.join(told)}. Shorten it, or choose another provider"
        raise Refusal(
            ProblemCode.INVALID_REQUEST, f"prompt: {message}", errors=[FieldFault(field="prompt", message=message)]
        )


def _named(choice: ProviderChoice, enabled: Sequence[Provider]) -> str:
    return _listed(enabled) if choice == AUTO else str(choice)


def _listed(providers: Sequence[Provider]) -> str:
    return " or ".join(providers) or "none"
