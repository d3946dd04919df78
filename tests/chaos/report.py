"""The table of a run."""

from collections.abc import Iterator

from tests.chaos.run import Made, Story

_HEADS = ("fault", "count", "jobs", "lost", "double terminal", "double submission", "duplicates", "recovery")


def table(story: Story) -> str:
    """Lay out, for each kind of fault, what became of the jobs that were in flight while it was made."""
    kinds = sorted({made.kind.name for made in story.made})
    rows = [_row(name, [made for made in story.made if made.kind.name == name], story) for name in kinds]
    rows.append(_row("all", story.made, story))
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
    lines = [_line(_HEADS, widths), "|".join(["", *("-" * (width + 2) for width in widths), ""])]
    return "\n".join([*lines, *(_line(row, widths) for row in rows)])


def summary(story: Story) -> Iterator[str]:
    """Say in a few lines how it ended."""
    plan, verdict = story.plan, story.verdict
    yield (
        f"seed {plan.seed}: {story.jobs} videos, {len(story.made)} faults, {story.deliveries} deliveries"
        f" in {story.seconds:.0f} s"
    )
    yield "ends: " + ", ".join(f"{end} {count}" for end, count in sorted(verdict.ends.items()))
    if story.resumed:
        yield "accepted again after each promotion: " + ", ".join(f"{seconds:.1f} s" for seconds in story.resumed)
    for name, seconds in sorted(story.silences.items()):
        yield f"longest time without an event published, {name}: {seconds:.1f} s"
    yield from (f"BROKEN: {fault}" for fault in verdict.other[:50])
    if len(verdict.other) > 50:
        yield f"BROKEN: and {len(verdict.other) - 50} more"
    yield "every invariant held" if verdict.sound else f"INVARIANTS BROKE; again with --seed {plan.seed}"


def _row(name: str, made: list[Made], story: Story) -> tuple[str, ...]:
    verdict = story.verdict
    hurt: set[int] = set().union(*(each.open for each in made))
    broken = (verdict.lost, verdict.double_terminal, verdict.double_submission)
    times = [each.recovered for each in made]
    slowest = "never" if None in times else f"{max(time for time in times if time is not None):.1f} s"
    counts = (len(made), len(hurt), *(len(jobs & hurt) for jobs in broken), sum(each.duplicates for each in made))
    return (name, *map(str, counts), slowest)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    first, *rest = (cell for cell in cells)
    return "| " + " | ".join([first.ljust(widths[0]), *map(str.rjust, rest, widths[1:])]) + " |"
