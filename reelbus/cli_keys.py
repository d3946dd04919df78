"""The commands `reelbus keys …`."""

from typing import Annotated

import typer

from reelbus.help_text import examples
from schemas.scopes import Scope

keys = typer.Typer(help="Create, list and disable API keys in the store.", no_args_is_help=True)


@keys.command(
    "create", epilog=examples("reelbus keys create shop --scope submit --scope read --budget 1000 --expires 90d")
)
def create_key(
    name: Annotated[str, typer.Argument(help="The caller's name; a second key of a name shares its idempotency keys.")],
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do; may be repeated. All by default.")] = None,
    budget: Annotated[int | None, typer.Option(help="Videos that it may ask for a day (UTC).", min=0)] = None,
    expires: Annotated[str | None, typer.Option(help="When it ends to work: 90d, 12h or 30m from now.")] = None,
) -> None:
    """Create a key and print it, once."""
    from reelbus.keys import create_key

    raise typer.Exit(create_key(name, scopes=scope or (), budget=budget, expires=expires))


@keys.command("list")
def list_keys(
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON a key.")] = False,
) -> None:
    """List the keys of the store and of the settings; a key itself is never shown."""
    from reelbus.keys import list_keys

    raise typer.Exit(list_keys(as_json=as_json))


@keys.command("disable")
def disable_keys(
    name: Annotated[str, typer.Argument(help="The caller's name.")],
    sha256: Annotated[
        str | None, typer.Option(help="Only the key whose SHA-256 begins so, as `reelbus keys list` shows it.")
    ] = None,
) -> None:
    """Disable every key of a name within five seconds, those in the settings too, without a restart."""
    from reelbus.keys import disable_keys, disable_one_key

    raise typer.Exit(disable_keys(name) if sha256 is None else disable_one_key(name, sha256))


@keys.command("enable")
def enable_caller(name: Annotated[str, typer.Argument(help="The caller's name.")]) -> None:
    """Enable the keys in the settings of a disabled name again."""
    from reelbus.keys import enable_caller

    raise typer.Exit(enable_caller(name))
