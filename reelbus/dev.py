"""`reelbus dev`: everything on one machine until Ctrl-C, in an empty folder, without a key or a question."""

import asyncio
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import httpx

from process import logs
from process.asyncio_events import on_signal, wait_any
from publisher.watch import Arrival, watch
from reelbus.dev_folder import FOLDER, AlreadyRunning, alone, publish
from reelbus.errors import FAILURE, stop_with
from reelbus.event_line import event_line
from reelbus.local import (
    LocalService,
    broker_in,
    local_settings,
    port_for,
    refuse_what_cannot_start,
    running_service,
    stop_for,
    submit_samples,
)
from reelbus.picture import house
from reelbus.roles import Farewell
from reelbus.terminal import has_colours
from sandbox.kit.serving import NAMES
from schemas.names import PROVIDERS

_PICTURE = FOLDER / "house.jpg"
_FOLDER = FOLDER / "dev"
_DATABASE = _FOLDER / "reelbus.db"
INTERRUPTED = 130


def develop(*, port: int | None, everybody: bool = False) -> None:
    """Run service, stand-ins and, where none is reachable, a broker, until a signal; end them all.

    The stand-ins are those of two providers, or for `everybody`.
    """
    others = NAMES if everybody else ()
    logs.set_up(quiet=True)
    try:
        with alone():
            chosen = port_for(port) | ({"REELBUS_PROVIDERS": ",".join(PROVIDERS)} if everybody else {})
            refuse_what_cannot_start(local_settings("amqp://127.0.0.1", _DATABASE, chosen))
            _prepare()
            with broker_in(_FOLDER / "broker") as amqp_url:
                asyncio.run(_develop(local_settings(amqp_url, _DATABASE, chosen), others))
    except AlreadyRunning as refusal:
        stop_with(str(refusal), FAILURE)
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except (Exception, BaseExceptionGroup) as error:
        stop_for(error)
        raise


def _prepare() -> None:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    if not _PICTURE.exists():
        _PICTURE.write_bytes(house())


async def _develop(variables: dict[str, str], others: Sequence[str]) -> None:
    stop = on_signal()
    is_new = not _DATABASE.exists()
    colour = has_colours(sys.stdout)
    async with running_service(variables, stop, _say_goodbye, others=others) as service:
        if stop.is_set():
            return
        _publish(service)
        _say(_banner(service, "all providers" if others else "both providers"))
        async with asyncio.TaskGroup() as tasks:
            ready = asyncio.Event()
            tasks.create_task(watch(service.settings, "video.#", None, partial(_print, colour), stop, ready=ready))
            tasks.create_task(_show_samples(service, ready, stop, wanted=is_new))
            await stop.wait()
            _say("\nstopping: what is in hand is finished first; Ctrl-C again ends at once")


def _say_goodbye(farewell: Farewell) -> None:
    facts = farewell.facts
    told = [f"{facts['finished']} in hand finished", f"{facts.get('unpublished_events', 0)} events unpublished"]
    if facts["cancelled"]:
        told.append(f"{facts['cancelled']} cut off")
    if left := facts.get("open_videos"):
        told.append(f"{left} videos go on at the next start")
    _say(f"stopped: {', '.join(told)}; bye")


async def _show_samples(service: LocalService, ready: asyncio.Event, stop: asyncio.Event, *, wanted: bool) -> None:
    await wait_any(ready, stop)
    if not wanted or stop.is_set():
        return
    _say("\nThree videos, since this store is new; every event as RabbitMQ brings it:")
    try:
        async for _ in submit_samples(service):
            pass
    except httpx.HTTPError:
        if not stop.is_set():  # what ends refuses new work
            raise


def _publish(service: LocalService) -> None:
    settings = {name: value for name, value in service.variables.items() if name.startswith("REELBUS_") and value}
    amqp_url = settings["REELBUS_AMQP_URL"]
    publish({**settings, "REELBUS_URL": service.settings.local_url, "AMQP_URL": amqp_url.split(",")[0]})


def _banner(service: LocalService, whose: str) -> str:
    url = service.settings.local_url
    private = "a private RabbitMQ, which ends with this command"
    broker = "REELBUS_AMQP_URL" if os.environ.get("REELBUS_AMQP_URL") else private
    lines = {
        "console": f"{url}/console",
        "api": f"{url}/docs",
        "events": f"{url}/docs/events",
        "amqp": f"{_without_password(service)}  ({broker}; also in {FOLDER}/env)",
        "store": f"{_DATABASE.absolute()}  (kept)",
        "stand-ins": f"{service.stand_ins}  ({whose}; no credit is spent)",
        "": "",
        "try": f"curl -F image=@{_PICTURE} -F motion=zoom_in {url}/v1/videos",
        " ": f"{_command()} submit {_PICTURE} --motion zoom_in --wait",
        "  ": f"{_command()} watch  |  trigger ready  |  doctor  |  --help",
        "stop": "Ctrl-C",
    }
    shown = "".join(f"  {name:<9}  {value}".rstrip() + "\n" for name, value in lines.items())
    return f"\nreelbus is ready, for development only: whoever is on this machine may use it, without a key\n\n{shown}"


def _without_password(service: LocalService) -> str:
    """Show the address whole where its password is the one that everybody knows."""
    url = service.settings.amqp_urls[0]
    head, at, tail = url.rpartition("@")
    if not at or head.endswith("//guest:guest"):
        return url
    return f"{head.partition('://')[0]}://…@{tail}"


def _command() -> str:
    """Name the command as it can be pasted: its path where the shell would not find it."""
    program = Path(sys.argv[0])
    folders = [Path(folder) for folder in os.get_exec_path()]
    if program.name != "reelbus" or program.parent.absolute() in folders:
        return "reelbus"
    here = Path.cwd()
    absolute = program.absolute()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def _print(colour: bool, arrival: Arrival) -> None:
    sys.stdout.write(event_line(arrival.routing_key, arrival.body, colour=colour) + "\n")
    sys.stdout.flush()


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
