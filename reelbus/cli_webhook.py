"""The commands `reelbus webhook …`."""

from pathlib import Path
from typing import Annotated

import typer

from reelbus.help_text import examples

webhook = typer.Typer(help="Play a provider's webhook.", no_args_is_help=True)


@webhook.callback()
def _only_group() -> None:
    """Play a provider's webhook."""


@webhook.command("replay", epilog=examples("reelbus webhook replay 01a1fb7f-9936-7632-b2ba-bc1b52c656f4"))
def replay_webhook(
    video_id: Annotated[str, typer.Argument(metavar="VIDEO", help="The id of a video of a provider that calls back.")],
    body: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What to send; else what came last, else an empty document.")
    ] = None,
) -> None:
    """Send the webhook of a video's newest attempt to the local service, as its provider would."""
    from reelbus.webhook_replay import replay

    raise typer.Exit(replay(video_id, body))
