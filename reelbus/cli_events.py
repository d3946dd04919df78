"""The commands that show events, and that try subscribers out."""

import sys
from typing import Annotated

import typer

from reelbus.cli_options import completing, pair
from reelbus.help_text import examples
from reelbus.terminal import Output
from schemas.names import EVENT_KINDS as KINDS
from schemas.names import VideoStatus

events = typer.Typer()


@events.command(
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
    output: Annotated[
        Output | None,
        typer.Option(help="interactive: all there is to know; compact: time, key, video; quiet: the video's id alone."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON each, on a terminal too.")] = False,
) -> None:
    """Print events from RabbitMQ as they arrive: a line each on a terminal, JSON in a pipe."""
    if output and as_json:
        raise typer.BadParameter("--json and --output are two formats; choose one")
    from reelbus.watching import Filters, watch_events

    filters = Filters(video, status, dict(pair(text) for text in metadata or []))
    usual = Output.INTERACTIVE if sys.stdout.isatty() and not as_json else None
    watch_events(binding, since, filters, output or usual)


@events.command(epilog=examples("reelbus listen --forward http://localhost:3000/hook 'video.ready.*'"))
def listen(
    forward: Annotated[str, typer.Option(help="The HTTP endpoint, as in http://localhost:3000/hook.")],
    binding: Annotated[str, typer.Argument(help="Which routing keys to forward, as in video.ready.*")] = "video.#",
    secret: Annotated[
        str | None, typer.Option(help="The signing secret, whsec_…; without it one is made and printed once.")
    ] = None,
    output: Annotated[
        Output, typer.Option(help="interactive: every try; compact: the last try; quiet: what was not delivered.")
    ] = Output.INTERACTIVE,
) -> None:
    """Forward events to an HTTP endpoint while it is being developed, signed by Standard Webhooks."""
    from reelbus.forwarding import listen as forward_events

    forward_events(binding, forward, secret, output)


@events.command(epilog=examples("reelbus trigger ready --set data.metadata.listing=42 --times 2"))
def trigger(
    kind: Annotated[
        str, typer.Argument(metavar="|".join(KINDS), help="Which event.", autocompletion=completing(*KINDS))
    ],
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


@events.command("check-subscriber", epilog=examples("reelbus check-subscriber shop.videos"))
def check_subscriber(
    queue: Annotated[str, typer.Argument(help="The queue that the subscriber consumes.")],
    dead_queue: Annotated[
        str | None, typer.Option("--dead", help="Its dead-letter queue; by default QUEUE.dead if there is one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON a trial.")] = False,
) -> None:
    """Send a subscriber's queue duplicates, unknown types, late and test events, and say how it takes them."""
    from reelbus.testing_subscribers import examine_subscriber

    raise typer.Exit(examine_subscriber(queue, dead_queue, as_json=as_json))
