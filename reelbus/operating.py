"""The commands of operators: retry what failed, see how the providers are doing, pause and resume one."""

from typing import Annotated

import typer

from reelbus.cli_options import completing
from reelbus.cli_webhook import webhook
from schemas.names import PROVIDERS

_NAME = typer.Argument(metavar="NAME", help="The provider's name.", autocompletion=completing(*PROVIDERS))


def retry(
    video_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of failed videos.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All videos that failed.")] = False,
    since: Annotated[
        str | None, typer.Option(help="Of those, what failed no longer ago than 30s, 15m, 1h, 2d.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="Of those, what failed so, as in provider_unavailable.")] = None,
    accept_risk: Annotated[
        bool, typer.Option("--accept-risk", help="Retry even what may have been paid for already.")
    ] = False,
) -> None:
    """Make failed videos again as new ones, and print their ids."""
    from reelbus.retrying import retry_all

    raise typer.Exit(retry_all(video_ids or [], failed=failed, since=since, code=code, accept_risk=accept_risk))


providers_app = typer.Typer(help="Show how the providers are doing, pause or resume one.", rich_markup_mode=None)


@providers_app.callback(invoke_without_command=True)
def providers(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON each.")] = False,
) -> None:
    """Show how the providers are doing; with a command, pause or resume one."""
    from reelbus.providing import print_providers

    if context.invoked_subcommand is None:
        raise typer.Exit(print_providers(as_json=as_json))


@providers_app.command()
def pause(name: Annotated[str, _NAME]) -> None:
    """Give a provider no new work; what it has in hand is still looked at."""
    from reelbus.providing import pause_provider

    raise typer.Exit(pause_provider(name))


@providers_app.command()
def resume(name: Annotated[str, _NAME]) -> None:
    """Give a paused provider work again."""
    from reelbus.providing import resume_provider

    raise typer.Exit(resume_provider(name))


def add_to(app: typer.Typer) -> None:
    """Add these commands to those of `reelbus`; pausing and resuming under either spelling."""
    app.command()(retry)
    app.add_typer(providers_app, name="providers")
    app.add_typer(webhook, name="webhook")
    app.command()(pause)
    app.command()(resume)
