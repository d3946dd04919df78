"""The whole service on one machine, for development: a broker, stand-ins for both providers, and every role."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from process.asyncio_events import wait
from process.settings import Settings, WrongSettings
from publisher.watch import BrokerUnavailable
from receiver.run import listen, refuse_exposure
from reelbus.errors import BAD_USAGE, FAILURE, UNAVAILABLE, leaves, stop_with
from reelbus.picture import house
from reelbus.roles import Farewell, Role, run_roles
from reelbus.sandboxed import environment, living
from reelbus.terminal import complain
from reelbus.video_commands import authorization
from sandbox.broker import choice
from sandbox.broker.errors import BrokerError
from sandbox.broker.handshake import answers
from sandbox.broker.isolation import free_ports, is_free
from sandbox.broker.node import Node
from sandbox.server import Addresses, serve
from sandbox.settings import SandboxSettings
from store.database import StoreUnavailable
from store.migrate import StoreTooNew

QUICK = {
    "REELBUS_POLL_MIN": "0.5",
    "REELBUS_POLL_MAX": "2",
    "REELBUS_IACREA_RATE": "10",
    "REELBUS_HOMEDESIGNS_RATE": "5",
}
"""The stand-ins take two seconds for a video, so this looks more often than one would in production."""

SAMPLES: tuple[dict[str, str], ...] = (
    {"provider": "iacrea", "motion": "zoom_in", "metadata": '{"listing": "ready by webhook"}'},
    {"provider": "homedesigns", "motion": "rotate_cw", "metadata": '{"listing": "ready by polling"}'},
    {
        "provider": "iacrea",
        "motion": "pan_left",
        "prompt": "sandbox: fail",
        "metadata": '{"listing": "fails, and is refunded"}',
    },
)
"""Videos that show all there is: a webhook, polling, and a failure with its refund."""

_STAND_INS_PORT = 8090
_PORTS_TRIED = 10
_SERVICE_ERRORS = (BrokerUnavailable, StoreUnavailable, StoreTooNew, BrokerError)
_MENDABLE = (WrongSettings, *_SERVICE_ERRORS, OSError, httpx.HTTPError)


@dataclass(frozen=True, slots=True)
class LocalService:
    """A service that is ready: its settings, and where the stand-ins are."""

    settings: Settings
    variables: Mapping[str, str]
    """The settings that differ from a service in production, as variables."""
    stand_ins: str

    def client(self) -> httpx.AsyncClient:
        """Give an HTTP client for it."""
        headers = authorization(self.settings)
        return httpx.AsyncClient(base_url=self.settings.local_url, headers=headers, timeout=10, trust_env=False)


@contextmanager
def broker_in(folder: Path) -> Iterator[str]:
    """Find a broker or start a private one in `folder`, and give its address; a private one ends with the block.

    Raises `BrokerError`.
    """
    # Asked to end while the broker starts, end it first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    named = os.environ.get("REELBUS_AMQP_URL")
    if named and not any(answers(url.strip()) for url in named.split(",")):
        stop_with(
            "the broker that REELBUS_AMQP_URL names does not let us in; unset it to get a private one", UNAVAILABLE
        )
    node = Node(folder)
    try:
        yield choice.start(node, owner=os.getpid(), prefer=choice.USUAL_PORT)
    finally:
        choice.stop(node)


def local_settings(amqp_url: str, database: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Give the variables of a service apart from any other, whatever the environment says of it.

    Only the stand-ins' addresses and keys are still missing. Raises `WrongSettings`.
    """
    own = {
        "REELBUS_AMQP_URL": amqp_url,
        "REELBUS_DATABASE_URL": f"sqlite:///{database.absolute()}",
        "REELBUS_PUBLIC_URL": "",
        "REELBUS_SURFACE": "all",
        "REELBUS_PROVIDERS": "iacrea,homedesigns",
        **variables,
    }
    return {**QUICK, **without(os.environ, own), **own}


def without(environ: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Leave out the variables of these names, also those that name a file."""
    return {name: value for name, value in environ.items() if name.removesuffix("_FILE") not in names}


def refuse_what_cannot_start(variables: Mapping[str, str]) -> None:
    """Look before anything is started. Raises `WrongSettings` for a setting, a port that is taken, an open service."""
    settings = Settings.read(variables, file=None)
    refuse_exposure(settings)
    listen(settings.host, settings.port, "REELBUS_PORT").close()


def port_for(asked: int | None) -> dict[str, str]:
    """Choose where to listen: as asked (0 is any free port), else as REELBUS_PORT says, else the usual port.

    Where the usual one is taken, the next free one is taken instead, and said.
    """
    usual = Settings.model_fields["port"].default
    if asked is None and "REELBUS_PORT" in os.environ:
        return {}
    if asked is None:
        found = next((port for port in range(usual, usual + _PORTS_TRIED) if is_free(port)), usual)
        if found != usual:
            complain(f"port {usual} is taken, so the service is on {found}; --port or REELBUS_PORT chooses another")
        return {"REELBUS_PORT": str(found)}
    return {"REELBUS_PORT": str(asked or free_ports().amqp)}


@asynccontextmanager
async def running_service(
    variables: Mapping[str, str],
    stop: asyncio.Event,
    at_end: Callable[[Farewell], None] | None = None,
    *,
    others: Sequence[str] = (),
) -> AsyncIterator[LocalService]:
    """Run stand-ins and every role until the block or `stop` ends; the block begins when all is ready.

    `at_end` is told what the service left behind. `others` are providers whose stand-ins run too, on any free ports.
    """
    addresses: asyncio.Future[Addresses] = asyncio.get_running_loop().create_future()
    sandbox = SandboxSettings(port=_STAND_INS_PORT)
    async with living(replace(sandbox, port=0), others) as of_others, asyncio.TaskGroup() as tasks:
        tasks.create_task(_stand_ins(sandbox, addresses, stop))
        found = await addresses
        stand_ins = environment(sandbox, found) | of_others
        settings = Settings.read({**without(variables, stand_ins), **stand_ins}, file=None)
        roles = tasks.create_task(run_roles(settings, list(Role), stop))
        service = LocalService(settings, {**variables, **stand_ins}, found.sandbox)
        try:
            await _until_ready(service, stop)
            yield service
        finally:
            stop.set()
    if at_end is not None:
        at_end(roles.result())


async def _stand_ins(sandbox: SandboxSettings, addresses: "asyncio.Future[Addresses]", stop: asyncio.Event) -> None:
    """Serve on the usual port, so that addresses of clips outlive a restart; on another where that is taken."""
    try:
        await serve(sandbox, stop=stop, announce=addresses.set_result)
    except OSError:
        if addresses.done():
            raise
        await serve(replace(sandbox, port=0), stop=stop, announce=addresses.set_result)


async def _until_ready(service: LocalService, stop: asyncio.Event) -> None:
    async with service.client() as http:
        while not stop.is_set():
            try:
                status = (await http.get("/v1/status")).raise_for_status().json()
                if status["store"]["ready"] and status["broker"]["ready"]:
                    return
            except httpx.TransportError:
                pass
            await wait(stop, timeout=0.05)


async def submit_samples(service: LocalService) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Submit the sample videos, and give for each the provider that it asks for and the video as it was accepted."""
    async with service.client() as http:
        for number, sample in enumerate(SAMPLES):
            picture = ("house.jpg", house(evening=number == 1), "image/jpeg")
            answer = await http.post("/v1/videos", data=sample, files={"image": picture})
            yield sample["provider"], answer.raise_for_status().json()


def stop_for(error: BaseException) -> None:
    """End the command with a line for each fault that a user can mend; return where something else is among them."""
    faults = leaves(error)
    if not all(isinstance(fault, _MENDABLE) for fault in faults):
        return
    status = FAILURE
    if any(isinstance(fault, _SERVICE_ERRORS) for fault in faults):
        status = UNAVAILABLE
    if any(isinstance(fault, WrongSettings) for fault in faults):
        status = BAD_USAGE
    stop_with("\n".join(dict.fromkeys(str(fault) or type(fault).__name__ for fault in faults)), status)
