"""What keeps a provider from taking work, in the words that `reelbus status`, `providers` and `doctor` share."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

OFF = "no credentials are set, or REELBUS_PROVIDERS leaves it out"


class ProviderFault(NamedTuple):
    """One reason, and what mends it."""

    says: str
    mend: str


def faults(state: Mapping[str, Any]) -> Iterator[ProviderFault]:
    """Tell the reasons in a provider's state document; the first is what its `state` stands for."""
    if state.get("paused"):
        says = f"paused since {state['paused_since']} by {state['paused_by']}"
        yield ProviderFault(says, "reelbus resume gives it work again")
    if not state.get("authorized", True):
        mend = "give the generators and pollers a key that it takes; the next job or check then clears this"
        yield ProviderFault(f"refuses our credentials since {state['unauthorized_since']}", mend)
    if state.get("out_of_credits_since"):
        says = f"no credits are left; submissions are refused since {state['out_of_credits_since']}"
        yield ProviderFault(says, "buy credits; the next submission that is taken clears this")
    circuit = state.get("circuit") or {"state": "closed"}
    if circuit["state"] != "closed":
        says = f"takes no submissions since {circuit['since']}: {circuit['reason']}"
        yield ProviderFault(
            f"{says}; tested again at {circuit['probe_at']}", "nothing to do: it is tested again by itself"
        )
    if state.get("paused_until"):
        yield ProviderFault(f"asked us to wait until {state['paused_until']}", "nothing to do: work waits until then")
