"""The folder `.run` of `reelbus dev`: whether one runs here, and where its service is."""

import fcntl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

FOLDER = Path(".run")
ENV = FOLDER / "env"
_LOCK = FOLDER / "dev.lock"
_WAIT_SECONDS = 1.0
_HEAD = "# Written by `reelbus dev` while it runs; the command line reads it beside it.\n"


class AlreadyRunning(Exception):
    """Another `reelbus dev` runs in this folder; the message says where, and what to do."""


def running_env() -> Path | None:
    """Name the file with the settings of the `reelbus dev` that runs in this folder, or None where none does."""
    if not ENV.is_file():
        return None
    with suppress(FileNotFoundError), _LOCK.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return ENV
    return None


@contextmanager
def alone() -> Iterator[None]:
    """Keep every other `reelbus dev` out of this folder. Raises `AlreadyRunning`."""
    FOLDER.mkdir(exist_ok=True)
    with _LOCK.open("a") as lock:
        _lock(lock.fileno())
        try:
            yield
        finally:
            ENV.unlink(missing_ok=True)


def publish(settings: Mapping[str, str]) -> None:
    """Tell the command line, and programs that read AMQP_URL, where everything is."""
    unfinished = ENV.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(_HEAD + "".join(f"{name}={value}\n" for name, value in settings.items()))
    unfinished.replace(ENV)


def _lock(lock: int) -> None:
    """Lock for good. A command that looks whether somebody runs here holds the lock for a moment: wait for it."""
    give_up_at = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > give_up_at:
                raise AlreadyRunning(_refusal()) from None
        time.sleep(0.02)


def _refusal() -> str:
    from dotenv import dotenv_values

    url = dotenv_values(ENV).get("REELBUS_URL") if ENV.is_file() else None
    where = f", console {url}/console" if url else ""
    return f"reelbus dev runs in this folder already{where}; end it with Ctrl-C, or start this one in another folder"
