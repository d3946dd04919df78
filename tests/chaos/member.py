"""Run one role of the service with a store that can be spoilt from outside.

What stands in the file that `CHAOS_STORE` names is run before every transaction: so SQLite itself, and not a
stand-in for it, says that the disk is full or that the database may only be read. The process ends with its parent.
"""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from reelbus.cli import main
from store import sqlite
from store.transaction import Tx

SOUND = "PRAGMA query_only = OFF\nPRAGMA max_page_count = 1073741823"
READ_ONLY = "PRAGMA query_only = ON"
FULL = "PRAGMA max_page_count = 1"
"""As many pages as there are is the least to which SQLite lets it be set."""

_PARENT_DEATH_SIGNAL = 1  # of prctl(2)


def _spoil(control: Path) -> None:
    begin = sqlite.begin

    def begin_spoilt(tx: Tx, *, busy_timeout: float | None = None) -> None:
        with suppress(FileNotFoundError):
            for pragma in control.read_text().splitlines():
                tx.execute(pragma)
        begin(tx, busy_timeout=busy_timeout)

    sqlite.begin = begin_spoilt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # until the service has a handler of its own
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    _spoil(Path(os.environ["CHAOS_STORE"]))
    main()
