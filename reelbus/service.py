"""Run roles until a signal: say where everything is, and leave politely."""

import asyncio
import gc
import sys
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

import structlog

from process import logs
from process.asyncio_events import on_signal, reloads
from process.environment import PROVIDER_CREDENTIALS
from process.settings import Settings, WrongSettings
from reelbus.errors import BAD_USAGE, UNAVAILABLE, leaves, settings_or_exit, stop_with
from reelbus.least_privilege import drop_provider_credentials
from reelbus.loopback_address import public_address_fault
from reelbus.roles import ASKING, Role, run_roles, starts
from store.database import StoreUnavailable
from store.migrate import StoreTooNew

_ALLOCATIONS_BEFORE_GARBAGE = 10_000
"""Python's own 700 had it look for garbage, of which there is next to none, for 1.5 % of the processor's time."""

log = structlog.get_logger(__name__)


def serve(roles: Collection[str]) -> None:
    """Run roles in this process until SIGTERM or SIGINT."""
    chosen = [Role(role) for role in roles]
    if ASKING.isdisjoint(chosen):
        drop_provider_credentials()
        settings = settings_or_exit(without=PROVIDER_CREDENTIALS)
    else:
        settings = settings_or_exit()
    logs.set_up()
    try:
        if Role.RECEIVER in chosen:
            _refuse_exposure(settings)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings, chosen))
    except* WrongSettings as errors:
        stop_with("\n".join(str(error) for error in leaves(errors)), BAD_USAGE)
    except* (StoreUnavailable, StoreTooNew) as errors:
        stop_with("\n".join(f"cannot run: {error}" for error in leaves(errors)), UNAVAILABLE)
    except* OSError as errors:
        stop_with("\n".join(f"cannot run: {error}" for error in leaves(errors)))


def _refuse_exposure(settings: Settings) -> None:
    """Look for keys in the store only where it depends on them. Raises `WrongSettings`."""
    from receiver.run import refuse_exposure

    try:
        refuse_exposure(settings)
    except WrongSettings:
        from reelbus.keys import has_stored_keys

        if not asyncio.run(has_stored_keys(settings)):
            raise


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        from uvloop import new_event_loop
    except ImportError:  # it exists neither for Windows nor for PyPy
        return asyncio.new_event_loop
    return new_event_loop


async def _serve(settings: Settings, roles: Collection[Role]) -> None:
    stop = on_signal()
    reloads.hear()
    _say_where(settings, roles)
    if fault := public_address_fault(settings):
        log.warning(fault[0], mend=fault[1])
    starts(settings, roles)
    # What they load is there by now, and stays for good. To look through it for garbage took 26 ms, twice a second
    # under load.
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BEFORE_GARBAGE)
    telling = asyncio.create_task(_tell_stopping(stop))
    try:
        farewell = await run_roles(settings, roles, stop)
    finally:
        telling.cancel()
    log.info("stopped", **farewell.facts)


async def _tell_stopping(stop: asyncio.Event) -> None:
    await stop.wait()
    log.info("stopping: what is in hand is finished first; a second signal ends at once")


def _say_where(settings: Settings, roles: Collection[Role]) -> None:
    """Say where everything is: a few lines for people on a terminal, one log line elsewhere."""
    places = _places(settings, roles)
    if not sys.stderr.isatty():
        log.info("starting", **places)
        return
    width = max(map(len, places))
    sys.stderr.write("".join(f"  {name:<{width}}  {value}\n" for name, value in places.items()))


def _places(settings: Settings, roles: Collection[Role]) -> dict[str, str]:
    broker = urlsplit(settings.amqp_url.get_secret_value())
    none = "as the generators announce them" if ASKING.isdisjoint(roles) else "none (no credentials are set)"
    providers = ", ".join(settings.enabled_providers) or none
    lines = {
        "roles": ", ".join(roles),
        "store": settings.shown_database_url,
        "broker": f"{broker.hostname}:{broker.port or 5672}",
        "providers": providers,
    }
    if Role.RECEIVER in roles:
        if settings.surface != "public":
            lines["api"] = f"{settings.local_url}/docs"
            lines["console"] = f"{settings.local_url}/console"
        if settings.surface != "private":
            lines["webhooks"] = f"{settings.base_url}/webhooks/…"
    return lines
