"""End a private PostgreSQL whose owner is gone: `python3 -m setup.postgres.watch OWNER SERVER FOLDER`."""

import os
import select
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

_GONE_MILLISECONDS = 10_000


def outlive(owner: int, server: int, folder: Path) -> None:
    """Wait until the process `owner` is gone, then end the process `server` and remove its folder.

    Both are held by handles, so that no other process that is given their numbers later is meant.
    """
    server_handle = os.pidfd_open(server)
    with suppress(ProcessLookupError):
        _ended(os.pidfd_open(owner), None)
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(server_handle, signal.SIGQUIT)
    _ended(server_handle, _GONE_MILLISECONDS)
    shutil.rmtree(folder, ignore_errors=True)


def _ended(handle: int, milliseconds: int | None) -> None:
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    waiting.poll(milliseconds)


if __name__ == "__main__":
    outlive(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
