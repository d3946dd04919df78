"""The commands `reelbus db …`."""

from typing import Annotated

import typer

from reelbus.help_text import examples

db = typer.Typer(help="Upgrade, examine and copy the store.", no_args_is_help=True)

_ADDRESS = "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE"


@db.command("upgrade")
def upgrade_database() -> None:
    """Bring the store's tables up to this release, as any start of the service does."""
    from reelbus.database_commands import upgrade

    raise typer.Exit(upgrade())


@db.command("status")
def show_database(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show where the store is, and whether this release would upgrade its tables. Changes nothing."""
    from reelbus.database_commands import status

    raise typer.Exit(status(as_json=as_json))


@db.command(
    "copy", epilog=examples("reelbus db copy sqlite:///reelbus.db postgresql://reelbus:secret@db.internal/reelbus")
)
def copy_database(
    source: Annotated[str, typer.Argument(help=f"The store to copy: {_ADDRESS}. Its tables are upgraded first.")],
    target: Annotated[str, typer.Argument(help="An empty database, or one that an earlier try has begun to fill.")],
) -> None:
    """Copy a store into another database, uploaded pictures included, and compare the two.

    Stop the service first. A copy that was interrupted goes on where it ended when it is started again.
    """
    from reelbus.database_commands import copy

    raise typer.Exit(copy(source, target))
