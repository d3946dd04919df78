"""The commands `reelbus drift …`."""

from typing import Annotated

import typer

from reelbus.help_text import examples

drift = typer.Typer(help="Answers of providers whose shape their pages do not document.", no_args_is_help=True)


@drift.command("list")
def list_drift(
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON a shape.")] = False,
) -> None:
    """Show each shape once: its provider, how often it was seen, what it was read as, and its redacted body."""
    from reelbus.drifting import line, print_drift
    from reelbus.terminal import printable_json

    raise typer.Exit(print_drift(printable_json if as_json else line))


@drift.command("export", epilog=examples("reelbus drift export > drift.jsonl"))
def export_drift() -> None:
    """Print each shape as one line of JSON, a vector for tests."""
    from reelbus.drifting import print_drift, vector

    raise typer.Exit(print_drift(vector))
