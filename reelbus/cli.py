"""The command `reelbus`. Libraries are loaded inside the commands, so that `--help` answers at once."""

from pathlib import Path
from typing import Annotated

import typer

from reelbus import __version__, operating
from reelbus.cli_db import db
from reelbus.cli_dead import dead
from reelbus.cli_drift import drift
from reelbus.cli_events import events
from reelbus.cli_keys import keys
from reelbus.cli_options import completing
from reelbus.cli_videos import videos
from reelbus.help_text import examples
from reelbus.terminal import Colour, use_colour
from schemas.names import PROVIDERS

app = typer.Typer(
    name="reelbus",
    help="Turn pictures into short AI videos through outside providers, and publish one event for each of them"
    " to RabbitMQ.\n\nSettings come from REELBUS_… variables or a .env file; `reelbus doctor` checks them.",
    epilog="Exit status: 0 done, 1 failed, 2 bad usage or setting, 3 service, store or broker away, 4 not found,"
    " 5 the video failed (submit --wait).",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run a command; errors that a user can cause are one clear line each."""
    app(prog_name="reelbus")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reelbus {__version__}")
        raise typer.Exit


# Whoever runs a role in production means its own settings, not those of a service for development.
_ROLES = {"run", "receiver", "generator", "poller", "publisher", "sandbox", "dev", "demo"}


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback acts on it
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
    env_file: Annotated[
        Path | None, typer.Option(help="Read settings from this file instead of .env; the environment wins.")
    ] = None,
    color: Annotated[
        Colour, typer.Option(help="When to write in colour; auto is on a terminal, unless NO_COLOR is set.")
    ] = Colour.AUTO,
) -> None:
    """Options that stand before a command."""
    use_colour(color)
    if env_file is not None:
        from reelbus.errors import use_env_file

        use_env_file(env_file)
    elif context.invoked_subcommand not in _ROLES:
        from reelbus.errors import use_dev_service

        use_dev_service()


@app.command()
def run() -> None:
    """Run all roles in one process: receiver, generator, poller and publisher."""
    _run("receiver", "generator", "poller", "publisher")


@app.command()
def receiver() -> None:
    """Serve the job API, the webhook endpoint, pictures for providers, and the console."""
    _run("receiver")


@app.command()
def generator() -> None:
    """Submit accepted videos to their providers."""
    _run("generator")


@app.command()
def poller() -> None:
    """Ask the providers about videos in the making, and settle what they answer."""
    _run("poller")


@app.command()
def publisher() -> None:
    """Publish events to RabbitMQ, and take commands from it."""
    _run("publisher")


def _run(*roles: str) -> None:
    from reelbus.service import serve

    serve(roles)


@app.command(epilog=examples("reelbus dev", "reelbus dev --port 8081", "reelbus dev --all"))
def dev(
    port: Annotated[
        int | None,
        typer.Option(
            help="Where the service listens, 0 for any free port; else REELBUS_PORT, else 8080 or the next free one.",
            min=0,
            max=65535,
        ),
    ] = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Stand-ins for fal, Kling, Replicate and Runway too, each a provider to ask.")
    ] = False,
) -> None:
    """Run everything for development: service, stand-ins and, where none is reachable, a private RabbitMQ.

    An empty folder is enough. While it runs, the other commands find it from this folder.
    """
    from reelbus.dev import develop

    develop(port=port, everybody=everybody)


@app.command()
def demo() -> None:
    """Show real jobs through both stand-ins and every event from RabbitMQ; end by itself and leave nothing."""
    from reelbus.demo import demonstrate

    demonstrate()


@app.command(epilog=examples("reelbus sandbox --port 8090", "reelbus sandbox --all"))
def sandbox(
    port: Annotated[int, typer.Option(help="Where both stand-ins listen on 127.0.0.1.")] = 8090,
    render_seconds: Annotated[float, typer.Option(help="How long a video takes, in seconds.")] = 2.0,
    render_clips: Annotated[
        bool, typer.Option(help="Make each video from its picture when it is asked for; else all are the same.")
    ] = True,
    everybody: Annotated[
        bool, typer.Option("--all", help="Stand-ins for fal, Kling, Replicate and Runway too, on the four ports after.")
    ] = False,
) -> None:
    """Run stand-ins for both providers, or for all, on loopback, speaking their documented protocols."""
    from reelbus.sandboxed import serve_sandbox

    serve_sandbox(port=port, render_seconds=render_seconds, render_clips=render_clips, everybody=everybody)


operating.add_to(app)
app.add_typer(videos)
app.add_typer(events)
app.add_typer(keys, name="keys")
app.add_typer(db, name="db")
app.add_typer(drift, name="drift")
app.add_typer(dead, name="dead")


@app.command(epilog=examples("reelbus status --watch"))
def status(
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every two seconds, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the service at one glance: store, broker, open videos, outbox, commands, providers."""
    from reelbus.status import show_status

    raise typer.Exit(show_status(watch=watch, as_json=as_json))


@app.command()
def version(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the libraries that matter.")] = False,
) -> None:
    """Show which release this is."""
    from reelbus.versions import print_versions

    print_versions(as_json=as_json)


@app.command("open")
def open_page(
    page: Annotated[
        str,
        typer.Argument(
            metavar="[console|docs|events]", help="Which page.", autocompletion=completing("console", "docs", "events")
        ),
    ] = "console",
) -> None:
    """Print the address of a page of the service, and open it in a browser."""
    from reelbus.pages import PAGES, open_in_browser

    if page not in PAGES:
        raise typer.BadParameter(f"{page!r} is no page; choose from {', '.join(PAGES)}")
    open_in_browser(page)


@app.command(epilog=examples("reelbus doctor", "reelbus --env-file deploy/.env doctor --json"))
def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document, with versions and sources.")
    ] = False,
) -> None:
    """Check settings, store, broker, topology and providers, one line each; exit 1 if any fails."""
    from reelbus.doctor import examine

    raise typer.Exit(examine(as_json=as_json))


@app.command("provider-check", epilog=examples("reelbus provider-check kling --live"))
def provider_check(
    name: Annotated[str, typer.Argument(help="The provider's name.", autocompletion=completing(*PROVIDERS))],
    live: Annotated[bool, typer.Option("--live", help="Ask the real service, with your key; costs nothing.")] = False,
    spend: Annotated[int, typer.Option(help="1 has one video made, and paid.")] = 0,
    image_url: Annotated[str | None, typer.Option(help="The picture of that video.")] = None,
) -> None:
    """Hold a provider against what is known of it: its account, a wrong id, a signature, a lookup."""
    from reelbus.provider_check import check_provider

    raise typer.Exit(check_provider(name, live=live, spend=spend, image_url=image_url))


@app.command(epilog=examples("reelbus schema events > events.schema.json"))
def schema(
    document: Annotated[
        str,
        typer.Argument(
            metavar="openapi|asyncapi|events",
            help="Which document.",
            autocompletion=completing("openapi", "asyncapi", "events"),
        ),
    ],
) -> None:
    """Print a published document as JSON."""
    from reelbus.documents import print_document

    raise typer.Exit(print_document(document))
