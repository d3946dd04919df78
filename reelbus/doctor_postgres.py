"""What `reelbus doctor` finds of a PostgreSQL server: how old it is, whether commits last, its clock, its wake-ups."""

from collections.abc import Iterator

from store.postgres_look import OLDEST, ServerLook

CLOCK_SECONDS = 1.0
"""By how much the server's clock may differ from this machine's without a word."""

Fact = tuple[str, str, str, str]


def server_findings(found: ServerLook) -> Iterator[Fact]:
    """Give subject, verdict, detail and mend of each thing that was looked at."""
    yield _release(found)
    yield _durability(found)
    ahead = f"{abs(found.clock_ahead):.1f} s {'ahead of' if found.clock_ahead > 0 else 'behind'} this machine's"
    if abs(found.clock_ahead) > CLOCK_SECONDS:
        yield "database clock", "warn", ahead, "run NTP on every host: times in events and leases differ by so much"
    else:
        yield "database clock", "ok", "agrees with this machine's", ""
    yield _wake_ups(found)


def _release(found: ServerLook) -> Fact:
    detail = f"PostgreSQL {found.release}"
    if found.release < OLDEST:
        return "database release", "fail", detail, f"upgrade the server to PostgreSQL {OLDEST} or newer"
    return "database release", "ok", detail, ""


def _durability(found: ServerLook) -> Fact:
    off = [f"{name} = {found.settings[name]}" for name in sorted(found.settings) if found.settings[name] == "off"]
    if off:
        mend = "set it to on, or what was acknowledged is lost when the server crashes"
        return "database commits", "fail", ", ".join(off), mend
    return "database commits", "ok", f"last (synchronous_commit = {found.settings['synchronous_commit']})", ""


def _wake_ups(found: ServerLook) -> Fact:
    mend = "connect to the server itself, or each step of a video waits up to a second for a look at the store"
    if found.pooled:
        return "database wake-ups", "warn", "a pooler stands before the server: LISTEN hears nothing through it", mend
    if not found.hears:
        return "database wake-ups", "fail", "LISTEN hears no NOTIFY", mend
    return "database wake-ups", "ok", "LISTEN hears NOTIFY", ""
