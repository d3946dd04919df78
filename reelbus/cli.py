"""The command `reelbus`. Libraries are loaded inside the commands, so that `--help` answers at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from reelbus import __version__, operating
from reelbus.cli_keys import keys
from reelbus.help_text import examples
from schemas.names import AUTO, PROVIDERS, Motion, Orientation, VideoStatus
from schemas.names import EVENT_KINDS as KINDS

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


operating.add_to(app)


def main() -> None:
    """Run a command; errors that a user can cause are one clear line each."""
    app(prog_name="reelbus")


def _one_of(*names: str) -> Callable[[str | None], str | None]:
    """Make the check of an option whose choices are an open list."""

    def check(given: str | None) -> str | None:
        if given is not None and given not in names:
            raise typer.BadParameter(f"{given!r} is not one of {', '.join(names)}.")
        return given

    return check


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reelbus {__version__}")
        raise typer.Exit


# Whoever runs a role in earnest means its own settings, not those of a service for development.
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
) -> None:
    """Options that stand before a command."""
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


@app.command(epilog=examples("reelbus dev", "reelbus dev --port 8081"))
def dev(
    port: Annotated[
        int | None, typer.Option(help="Where the service listens; else REELBUS_PORT or 8080.", min=1, max=65535)
    ] = None,
) -> None:
    """Run everything for development: service, stand-ins and, where none is reachable, a private RabbitMQ.

    An empty folder is enough. While it runs, the other commands find it from this folder.
    """
    from reelbus.dev import develop

    develop(port=port)


@app.command()
def demo() -> None:
    """Show real jobs through both stand-ins and every event from RabbitMQ; end by itself and leave nothing."""
    from reelbus.demo import demonstrate

    demonstrate()


@app.command(epilog=examples("reelbus sandbox --port 8090"))
def sandbox(
    port: Annotated[int, typer.Option(help="Where both stand-ins listen on 127.0.0.1.")] = 8090,
    render_seconds: Annotated[float, typer.Option(help="How long a video takes, in seconds.")] = 2.0,
) -> None:
    """Run stand-ins for both providers on loopback, speaking their documented protocols."""
    from reelbus.sandboxed import serve_sandbox

    serve_sandbox(port=port, render_seconds=render_seconds)


@app.command(
    epilog=examples(
        "reelbus submit house.jpg --motion zoom_in",
        "reelbus submit https://example.com/house.jpg --motion pan_left --metadata listing=42 --wait --timeout 120",
    )
)
def submit(  # noqa: PLR0913, PLR0917 - one parameter an option
    image: Annotated[str, typer.Argument(help="A PNG or JPEG file of at least 512x512, or the address of one.")],
    motion: Annotated[Motion, typer.Option(help="How the camera moves.")],
    provider: Annotated[str, typer.Option(help="Which provider.", callback=_one_of(AUTO, *PROVIDERS))] = AUTO,
    prompt: Annotated[str | None, typer.Option(help="What should happen in the video.")] = None,
    orientation: Annotated[Orientation, typer.Option(help="Of the video.")] = Orientation.LANDSCAPE,
    fallback: Annotated[
        bool | None, typer.Option("--fallback/--no-fallback", help="Whether another provider may be tried.")
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(help="A KEY=VALUE that comes back in every event; may be repeated.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="An idempotency key: the same again gives the same video.")] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Show progress, then print the terminal event; exit 5 if it failed.")
    ] = False,
    timeout: Annotated[
        float | None, typer.Option(help="With --wait: for how many seconds; then exit 1, and the video goes on.", min=0)
    ] = None,
) -> None:
    """Submit a picture and print the video's id."""
    if timeout is not None and not wait:
        raise typer.BadParameter("--timeout is for --wait; give both")
    from reelbus.video_commands import Submission, submit_and_report

    submission = Submission(
        image=image,
        motion=motion,
        provider=provider,
        prompt=prompt,
        orientation=orientation,
        fallback=fallback,
        metadata=dict(_pair(text) for text in metadata or []),
        idempotency_key=key,
    )
    raise typer.Exit(submit_and_report(submission, wait=wait, timeout=timeout))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"{text!r} has no KEY=VALUE; write it as --metadata listing=42")
    return name, value


@app.command(
    epilog=examples(
        "reelbus watch 'video.ready.*'", "reelbus watch --from 1h --metadata listing=42 --json | jq .data.output_urls"
    )
)
def watch(
    binding: Annotated[str, typer.Argument(help="Which routing keys to see, as in video.ready.*")] = "video.#",
    since: Annotated[
        str | None,
        typer.Option("--from", help="Replay from the event log: first, last, or an age as in 30s, 15m, 1h, 2d."),
    ] = None,
    video: Annotated[str | None, typer.Option(metavar="ID", help="Only events of this video.")] = None,
    status: Annotated[VideoStatus | None, typer.Option(help="Only events of videos in this status.")] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(help="Only videos with this KEY=VALUE; may be repeated, all must hold.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON each, on a terminal too.")] = False,
) -> None:
    """Print events from RabbitMQ as they arrive: a line each on a terminal, JSON in a pipe."""
    from reelbus.watching import Filters, watch_events

    filters = Filters(video, status, dict(_pair(text) for text in metadata or []))
    watch_events(binding, since, filters, as_json=as_json)


@app.command(epilog=examples("reelbus listen --forward http://localhost:3000/hook 'video.ready.*'"))
def listen(
    forward: Annotated[str, typer.Option(help="The HTTP endpoint, as in http://localhost:3000/hook.")],
    binding: Annotated[str, typer.Argument(help="Which routing keys to forward, as in video.ready.*")] = "video.#",
    secret: Annotated[
        str | None, typer.Option(help="The signing secret, whsec_…; without it one is made and printed once.")
    ] = None,
) -> None:
    """Forward events to an HTTP endpoint while it is being developed, signed by Standard Webhooks."""
    from reelbus.forwarding import listen as forward_events

    forward_events(binding, forward, secret)


@app.command(epilog=examples("reelbus trigger ready --set data.metadata.listing=42 --times 2"))
def trigger(
    kind: Annotated[str, typer.Argument(metavar="|".join(KINDS), help="Which event.")],
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a field, as in data.metadata.listing=42."),
    ] = None,
    event_id: Annotated[str | None, typer.Option("--id", help="The event's id; by default a new one.")] = None,
    times: Annotated[
        int, typer.Option(help="How many times to publish it, to try deduplication.", min=1, max=1000)
    ] = 1,
) -> None:
    """Publish a test event: realistic, fitting the schema, marked with reelbustest; print its id."""
    if kind not in KINDS:
        raise typer.BadParameter(f"{kind!r} is no event; choose from {', '.join(KINDS)}")
    from reelbus.testing_subscribers import trigger_event

    trigger_event(kind, changes or [], event_id=event_id, times=times)


@app.command("check-subscriber", epilog=examples("reelbus check-subscriber shop.videos"))
def check_subscriber(
    queue: Annotated[str, typer.Argument(help="The queue that the subscriber consumes.")],
    dead_queue: Annotated[
        str | None, typer.Option("--dead", help="Its dead-letter queue; by default QUEUE.dead if there is one.")
    ] = None,
) -> None:
    """Send a subscriber's queue duplicates, unknown types, late and test events, and say how it takes them."""
    from reelbus.testing_subscribers import examine_subscriber

    raise typer.Exit(examine_subscriber(queue, dead_queue))


@app.command("list", epilog=examples("reelbus list --status failed --limit 50", "reelbus list --json | jq .id"))
def list_videos(
    status: Annotated[VideoStatus | None, typer.Option(help="Only videos in this status.")] = None,
    provider: Annotated[
        str | None, typer.Option(help="Only videos of this provider.", callback=_one_of(*PROVIDERS))
    ] = None,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1, max=200)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON a video.")] = False,
) -> None:
    """List videos, newest first."""
    from reelbus.video_commands import print_list

    raise typer.Exit(print_list(status=status, provider=provider, limit=limit, as_json=as_json))


@app.command(epilog=examples("reelbus show 01a1fb7f-9936-7632-b2ba-bc1b52c656f4"))
def show(
    video_id: Annotated[str, typer.Argument(metavar="ID", help="A video's id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show one video whole, with every attempt and its timeline."""
    from reelbus.video_commands import print_video

    raise typer.Exit(print_video(video_id, as_json=as_json))


@app.command(epilog=examples("reelbus redeliver 01a1fb7f-9936-7632-b2ba-bc1b52c656f4"))
def redeliver(
    video_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of videos.")],
) -> None:
    """Publish the terminal events of videos again, with the same event ids."""
    from reelbus.video_commands import redeliver_all

    raise typer.Exit(redeliver_all(video_ids))


@app.command()
def erase(
    video_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of videos.")] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(help="Every video with this KEY=VALUE; several must all match.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase finished videos with everything that is kept of them; needs a key with the scope operate."""
    from reelbus.erasing import erase_videos

    raise typer.Exit(erase_videos(video_ids or [], dict(_pair(text) for text in metadata or []), sure=yes))


app.add_typer(keys, name="keys")

dead = typer.Typer(help="Commands that could not be handled and are parked in `video.commands.dead`.")
app.add_typer(dead, name="dead", no_args_is_help=True)


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
    from reelbus.dead import take_away

    raise typer.Exit(take_away(ids))


@app.command(epilog=examples("reelbus status --watch"))
def status(
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every two seconds, until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the service at one glance: store, broker, open videos, outbox, commands, providers."""
    from reelbus.status import show_status

    raise typer.Exit(show_status(watch=watch, as_json=as_json))


@app.command("open")
def open_page(
    page: Annotated[str, typer.Argument(metavar="[console|docs|events]", help="Which page.")] = "console",
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


@app.command(epilog=examples("reelbus schema events > events.schema.json"))
def schema(
    document: Annotated[str, typer.Argument(metavar="openapi|asyncapi|events", help="Which document.")],
) -> None:
    """Print a published document as JSON."""
    from reelbus.documents import print_document

    raise typer.Exit(print_document(document))
