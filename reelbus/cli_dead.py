"""The commands `reelbus dead …`."""

from typing import Annotated

import typer

from reelbus.help_text import examples

dead = typer.Typer(
    help="Commands that could not be handled and are parked in `video.commands.dead`.", no_args_is_help=True
)


@dead.command("list")
def list_dead(
    limit: Annotated[int, typer.Option(help="How many, oldest first.", min=1, max=1000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON a command.")] = False,
) -> None:
    """Show parked commands: why, since when, how large, and how each begins."""
    from reelbus.dead import print_letters

    raise typer.Exit(print_letters(limit=limit, as_json=as_json))


@dead.command("requeue", epilog=examples("reelbus dead requeue --all"))
def requeue_dead(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of letters, or message ids.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Put every parked command back.")] = False,
) -> None:
    """Put parked commands back into the queue that they came from, and print their ids."""
    from reelbus.dead import put_back

    raise typer.Exit(put_back(ids or [], everything=everything))


@dead.command("drop", epilog=examples("reelbus dead drop 1f0c53ab9d2e"))
def drop_dead(ids: Annotated[list[str], typer.Argument(metavar="ID", help="Ids of letters, or message ids.")]) -> None:
    """Take parked commands away for good, and print their ids."""
    from reelbus.dead import drop_commands

    raise typer.Exit(drop_commands(ids))
