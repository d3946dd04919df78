"""The commands `reelbus drift …`."""

import typer

from reelbus.help_text import examples

drift = typer.Typer(help="Answers of providers whose shape their pages do not document.", no_args_is_help=True)


@drift.command("list")
def list_drift() -> None:
    """Show each shape once: its provider, how often it was seen, what it was read as, and its redacted body."""
    from reelbus.drifting import print_drift

    raise typer.Exit(print_drift(as_vectors=False))


@drift.command("export", epilog=examples("reelbus drift export > drift.jsonl"))
def export_drift() -> None:
    """Print each shape as one line of JSON, a vector for tests."""
    from reelbus.drifting import print_drift

    raise typer.Exit(print_drift(as_vectors=True))
