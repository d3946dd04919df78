"""What all processes share of each provider: its budget, its pauses, whether it refuses our key or our credits."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.names import Provider
from store.transaction import Tx

_FULL = 1e9
"""More than any budget holds, so that it is read as a full one."""

_LONGEST_LEFT_ALONE = 60.0
"""A pause that is no longer than this is lived through, whatever the clock did."""


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One provider's shared state; times in Unix seconds."""

    name: Provider
    tokens: float
    refilled_at: float
    paused_until: float
    unauthorized_since: float | None
    out_of_credits_since: float | None
    submission_tokens: float | None = None
    """What is left of the submissions' own budget, as it was last written; None where nothing was taken yet."""
    submission_refilled_at: float | None = None


def get(tx: Tx, provider: Provider) -> ProviderRow | None:
    """Read a provider's shared state; None before its first request. What writes holds it until its end."""
    return ask(tx, provider)()


def ask(tx: Tx, provider: Provider) -> Callable[[], ProviderRow | None]:
    """Ask for a provider's shared state as `get` does, and give what reads the answer."""
    rows = tx.execute(
        "SELECT name, tokens, refilled_at, paused_until, unauthorized_since, out_of_credits_since,"  # noqa: S608 - constant parts
        " submission_tokens, submission_refilled_at"
        f" FROM providers WHERE name = ?{tx.row_lock}",
        (provider,),
    )

    def read() -> ProviderRow | None:
        found = rows.fetchone()
        return None if found is None else ProviderRow(Provider(found[0]), *found[1:])

    return read


def set_tokens(tx: Tx, provider: Provider, *, tokens: float, now: float) -> None:
    """Note how many requests may be made at once from now on."""
    tx.execute(
        "INSERT INTO providers (name, tokens, refilled_at) VALUES (:name, :tokens, :now)"
        " ON CONFLICT (name) DO UPDATE SET tokens = :tokens, refilled_at = :now",
        {"name": provider, "tokens": tokens, "now": now},
    )


def set_submission_tokens(tx: Tx, provider: Provider, *, tokens: float, now: float) -> None:
    """Note how many submissions may be made at once from now on, where they have a budget of their own."""
    tx.execute(
        "INSERT INTO providers (name, tokens, refilled_at, submission_tokens, submission_refilled_at)"
        " VALUES (:name, :full, :now, :tokens, :now)"
        " ON CONFLICT (name) DO UPDATE SET submission_tokens = :tokens, submission_refilled_at = :now",
        {"name": provider, "full": _FULL, "tokens": tokens, "now": now},
    )


def pause(tx: Tx, provider: Provider, *, until: float) -> None:
    """Back off: nobody asks a provider before a time; an earlier pause is never shortened."""
    tx.execute("UPDATE providers SET paused_until = ? WHERE name = ? AND paused_until < ?", (until, provider, until))


def set_authorized(tx: Tx, provider: Provider, *, authorized: bool, now: float) -> None:
    """Note whether a provider takes our credentials."""
    tx.execute(
        "UPDATE providers SET unauthorized_since = CASE WHEN :authorized = 1 THEN NULL"
        " ELSE COALESCE(unauthorized_since, :now) END"
        " WHERE name = :name AND (unauthorized_since IS NULL) <> (:authorized = 1)",
        {"name": provider, "authorized": int(authorized), "now": now},
    )


def set_solvent(tx: Tx, provider: Provider, *, solvent: bool, now: float) -> None:
    """Note whether a provider finds credits in our account."""
    tx.execute(
        "UPDATE providers SET out_of_credits_since = CASE WHEN :solvent = 1 THEN NULL"
        " ELSE COALESCE(out_of_credits_since, :now) END"
        " WHERE name = :name AND (out_of_credits_since IS NULL) <> (:solvent = 1)",
        {"name": provider, "solvent": int(solvent), "now": now},
    )


def bring_near(tx: Tx, seconds: float, *, now: float) -> None:
    """Shorten a pause that a clock put back by so many seconds left far ahead: it ends so much earlier, or now."""
    tx.execute(
        "UPDATE providers SET paused_until ="
        " CASE WHEN paused_until > :now + :seconds THEN paused_until - :seconds ELSE :now END"
        " WHERE paused_until > :now + :seconds OR paused_until > :now + :longest",
        {"seconds": seconds, "now": now, "longest": _LONGEST_LEFT_ALONE},
    )
