"""The commands that submit videos and look at them."""

from typing import Annotated

import typer

from reelbus.cli_options import completing, one_of, pair
from reelbus.help_text import examples
from reelbus.terminal import Output
from schemas.names import AUTO, PROVIDERS, Motion, Orientation, VideoStatus

videos = typer.Typer()


@videos.command(
    epilog=examples(
        "reelbus submit house.jpg --motion zoom_in",
        "reelbus submit https://example.com/house.jpg --motion pan_left --metadata listing=42 --wait --timeout 120",
    )
)
def submit(  # noqa: PLR0913, PLR0917 - one parameter an option
    image: Annotated[str, typer.Argument(help="A PNG or JPEG file of at least 512x512, or the address of one.")],
    motion: Annotated[Motion, typer.Option(help="How the camera moves.")],
    provider: Annotated[
        str,
        typer.Option(
            help="Which provider.", callback=one_of(AUTO, *PROVIDERS), autocompletion=completing(AUTO, *PROVIDERS)
        ),
    ] = AUTO,
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
    output: Annotated[
        Output, typer.Option(help="With --wait: a live line on a terminal, a line for each step, or nothing on stderr.")
    ] = Output.INTERACTIVE,
) -> None:
    """Submit a picture and print the video's id."""
    if timeout is not None and not wait:
        raise typer.BadParameter("--timeout is for --wait; give both")
    from reelbus.video_commands import SubmitInput, submit_and_report

    submission = SubmitInput(
        image=image,
        motion=motion,
        provider=provider,
        prompt=prompt,
        orientation=orientation,
        fallback=fallback,
        metadata=dict(pair(text) for text in metadata or []),
        idempotency_key=key,
    )
    raise typer.Exit(submit_and_report(submission, output, wait=wait, timeout=timeout))


@videos.command("list", epilog=examples("reelbus list --status failed --limit 50", "reelbus list --json | jq .id"))
def list_videos(
    status: Annotated[VideoStatus | None, typer.Option(help="Only videos in this status.")] = None,
    provider: Annotated[
        str | None,
        typer.Option(
            help="Only videos of this provider.", callback=one_of(*PROVIDERS), autocompletion=completing(*PROVIDERS)
        ),
    ] = None,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1, max=200)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON a video.")] = False,
) -> None:
    """List videos, newest first."""
    from reelbus.video_commands import print_list

    raise typer.Exit(print_list(status=status, provider=provider, limit=limit, as_json=as_json))


@videos.command(epilog=examples("reelbus show 01a1fb7f-9936-7632-b2ba-bc1b52c656f4"))
def show(
    video_id: Annotated[str, typer.Argument(metavar="ID", help="A video's id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show one video whole, with every attempt and its timeline."""
    from reelbus.video_commands import print_video

    raise typer.Exit(print_video(video_id, as_json=as_json))


@videos.command(epilog=examples("reelbus redeliver 01a1fb7f-9936-7632-b2ba-bc1b52c656f4"))
def redeliver(
    video_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of videos.")],
) -> None:
    """Publish the terminal events of videos again, with the same event ids."""
    from reelbus.video_commands import redeliver_all

    raise typer.Exit(redeliver_all(video_ids))


@videos.command()
def erase(
    video_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of videos.")] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(help="Every video with this KEY=VALUE; several must all match.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase finished videos with everything that is kept of them; needs a key with the scope operate."""
    from reelbus.erasing import erase_videos

    raise typer.Exit(erase_videos(video_ids or [], dict(pair(text) for text in metadata or []), sure=yes))


@videos.command(epilog=examples("reelbus cancel 01a1fb7f-9936-7632-b2ba-bc1b52c656f4"))
def cancel(
    video_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of videos.")],
    wait: Annotated[float, typer.Option(help="Seconds to wait for a provider's word.", min=0)] = 5.0,
) -> None:
    """Stop videos and print of each what came of it: done, wished or too late, and what it costs.

    What no provider has is stopped at once; the rest is its provider's to stop. Exit 1 if it was too late or refused.
    """
    from reelbus.cancelling import cancel_all

    raise typer.Exit(cancel_all(video_ids, within=wait))
