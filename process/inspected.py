"""The program of an inspector: look into one picture after the other, in a process that could do little else.

It reads no environment, opens no files and no connections, and can start no processes. Each picture comes as a
descriptor over the socket that is its standard input; each answer goes back as one message of JSON. It ends with
whoever started it, because the socket then ends.
"""

import json
import math
import os
import resource
import signal
import socket
import time
import warnings
from pathlib import Path

from schemas.picture import PictureRejected, inspect

CPU_SECONDS = 2
"""How much a picture may cost; a fair one of 20 MB takes a tenth of a second."""

_MEMORY = 80 * 2**20
"""Bytes that a picture may cost besides its own, of which the interpreter takes a few."""


def serve(asking: socket.socket) -> None:
    """Answer until nobody can ask any more."""
    _prepare()
    ours = _address_space()
    asking.send(b"{}")
    while True:
        _, descriptors, _, _ = socket.recv_fds(asking, 1, 1)
        if not descriptors:
            return
        with os.fdopen(descriptors[0], "rb") as file:
            size = os.fstat(file.fileno()).st_size
            _allow(memory=ours + size + _MEMORY, seconds=CPU_SECONDS)
            answer = _answer(file.read())
        asking.send(json.dumps(answer).encode())


def _prepare() -> None:
    """Import what is needed, then give up what is not; signals to the group are for whoever started us."""
    import PIL.JpegImagePlugin  # noqa: PLC0415 - before files can no longer be opened
    import PIL.PngImagePlugin  # noqa: F401, PLC0415 - the same

    warnings.simplefilter("ignore")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.nice(5)  # who waits for an answer about anything else goes first
    for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):
        resource.setrlimit(limit, (0, 0))


def _address_space() -> int:
    """Measure, in bytes, what this process has taken up so far."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _allow(*, memory: int, seconds: int) -> None:
    """Limit the address space of this process, and the processor time that it has from now on."""
    _lower(resource.RLIMIT_AS, memory)
    _lower(resource.RLIMIT_CPU, math.ceil(time.process_time()) + seconds)


def _lower(limit: int, value: int) -> None:
    """Set a soft limit, below the hard one that the operator may have set."""
    _, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _answer(data: bytes) -> dict[str, str | int]:
    try:
        found = inspect(data)
    except PictureRejected as rejection:
        return {"rejected": str(rejection)}
    except MemoryError:
        return {"rejected": "takes too much memory to be looked into; save it anew and send that"}
    return {"content_type": found.content_type, "width": found.width, "height": found.height}
