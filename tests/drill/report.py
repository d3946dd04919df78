"""The table of a drill, as docs/operating.md has it."""

import re
from collections.abc import Sequence
from pathlib import Path

from tests.drill.run import WITHIN_SECONDS, Outcome

PAGE = Path(__file__).parents[2] / "docs" / "operating.md"
_MARKED = re.compile(r"(<!-- drill -->\n).*?(<!-- /drill -->)", re.DOTALL)


def table(outcomes: Sequence[Outcome]) -> str:
    """Write a line for each scenario: what told first and after how many seconds, the alert, and what mended it."""
    head = "| what is wrong | told first by | alert | told also by | what mends it | works again after |"
    return "\n".join([head, "| --- | --- | --- | --- | --- | --- |", *map(_row, outcomes)]) + "\n"


def _row(outcome: Outcome) -> str:
    required = {sign: at for sign, at in outcome.told.items() if sign in outcome.scenario.tells}
    in_order = sorted(required, key=lambda sign: required[sign])
    alerts = [sign for sign in in_order if sign.startswith("alert ")]
    first = in_order[:1]
    rest = [sign for sign in in_order if sign not in first and sign not in alerts]
    cells = [
        outcome.scenario.name,
        ", ".join(_timed(sign, required[sign]) for sign in first) or "nothing",
        ", ".join(_timed(sign, required[sign]) for sign in alerts) or "none",
        ", ".join(_timed(sign, required[sign]) for sign in rest) or "nothing",
        outcome.scenario.mend,
        "not within two minutes" if outcome.works_again is None else f"{outcome.works_again:.0f} s",
    ]
    return "| " + " | ".join(cells) + " |"


def _timed(sign: str, seconds: float) -> str:
    kind, _, name = sign.partition(" ")
    shown = {"alert": f"`{name}`", "readyz": f"`/readyz` ({name})", "tile": f"tile *{name}*", "log": f"log `{name}`"}
    return f"{shown[kind]} {seconds:.0f} s"


def faults(outcomes: Sequence[Outcome]) -> list[str]:
    """Say, a line each, what did not tell in time, what was told wrongly, and what did not work again."""
    lines = []
    for outcome in outcomes:
        name = outcome.scenario.name
        lines += [f"{name}: {sign} was told while all was well" for sign in sorted(outcome.calm)]
        lines += [f"{name}: {sign} did not tell within {WITHIN_SECONDS:g} s" for sign in sorted(outcome.missing)]
        lines += [f"{name}: {sign} was told wrongly" for sign in sorted(outcome.wrong)]
        if outcome.works_again is None:
            lines.append(f"{name}: the service did not work again after the mend")
    return lines


def write_page(outcomes: Sequence[Outcome]) -> None:
    """Put the rows of these scenarios into the table of docs/operating.md; the others stay as they are."""
    PAGE.write_text(rewritten(PAGE.read_text(), outcomes))


def rewritten(page: str, outcomes: Sequence[Outcome]) -> str:
    """Give the page with these scenarios' rows, in the order in which it had them; new ones come last."""
    head, rule, *rows = table(outcomes).splitlines()
    fresh = {row.split(" |")[0]: row for row in rows}
    [kept] = re.findall(r"<!-- drill -->\n.*?\n.*?\n(.*?)<!-- /drill -->", page, re.DOTALL)
    merged = {row.split(" |")[0]: row for row in kept.splitlines()} | fresh
    shown = "\n".join([head, rule, *merged.values()]) + "\n"
    return _MARKED.sub(lambda marks: marks[1] + shown + marks[2], page)
