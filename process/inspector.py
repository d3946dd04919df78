"""Look into pictures in child processes with limits, where none can stop this one, whatever its bytes.

A few children are started as they are needed and kept. Each has bounds of its own on memory, processor and time;
one that dies or hangs over a picture is replaced, and the picture counts as rejected.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import structlog

import schemas
from schemas.picture import Picture, PictureRejected

AT_ONCE = 4
"""How many pictures are looked into at once; each may cost two seconds of a processor."""

ANSWER_SECONDS = 10.0
"""How long an answer may take on a busy machine, from when the picture was handed over."""

_START_SECONDS = 30.0
_ANSWER_BYTES = 64 * 1024
_PROGRAM = """
import sys
sys.path[:] = sys.argv[1:]
import socket
from process.inspected import serve
serve(socket.socket(fileno=0))
"""

_KEPT = ("LD_LIBRARY_PATH",)
"""What of the environment an interpreter may need to start."""

_log = structlog.get_logger(__name__)


class InspectorUnavailable(Exception):
    """No child process could be started now; nothing is known of the picture. Try later."""


class _Died(Exception):
    """The child died, or gave no answer in time."""


class Inspectors:
    """A few child processes that look into pictures."""

    def __init__(self, *, at_once: int = AT_ONCE, timeout: float = ANSWER_SECONDS) -> None:
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="inspector")
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._closing = False

    async def inspect(self, data: bytes) -> Picture:
        """Say what picture these bytes are. Raises `PictureRejected`, and `InspectorUnavailable`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._inspect, data)

    async def close(self) -> None:
        """End the children. Whoever still waits for one is told `InspectorUnavailable`."""
        self._closing = True
        for child in tuple(self._busy):
            child.interrupt()
        await asyncio.to_thread(self._threads.shutdown)
        while self._idle:
            self._idle.pop().end()

    def _inspect(self, data: bytes) -> Picture:
        """Ask a child, and another one if it died of what may have been chance."""
        for _ in range(2):
            child = self._child()
            self._busy.add(child)
            try:
                found = child.ask(data, timeout=self._timeout)
            except PictureRejected:
                self._idle.append(child)
                raise
            except _Died:
                child.end()
                if self._closing:
                    raise InspectorUnavailable("the service is being stopped") from None
                _log.warning("inspector replaced", picture_bytes=len(data), status=child.status)
                if child.status == -signal.SIGXCPU:
                    break
            except OSError as error:
                child.end()
                raise InspectorUnavailable(f"a picture could not be handed over: {error}") from error
            else:
                self._idle.append(child)
                return found
            finally:
                self._busy.discard(child)
        raise PictureRejected("takes too much time or memory to be looked into; save it anew and send that")

    def _child(self) -> "_Child":
        with suppress(IndexError):
            while True:
                child = self._idle.pop()
                if child.alive:
                    return child
                child.end()
        try:
            return _Child()
        except OSError as error:
            raise InspectorUnavailable(f"no process could be started to look into a picture: {error}") from error


class _Child:
    """One process of `process.inspected`. Raises OSError where none can be started."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._process = _started(theirs)
            except OSError:
                self._socket.close()
                raise
        try:
            self._receive(_START_SECONDS)
        except _Died:
            self.end()
            raise ChildProcessError(f"the inspector does not start; its status is {self.status}") from None

    @property
    def alive(self) -> bool:
        """Whether it has not died while nobody asked it anything."""
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        """With what it left; None while it lives."""
        return self._process.returncode

    def ask(self, data: bytes, *, timeout: float) -> Picture:
        """Say what picture these bytes are. Raises `PictureRejected`, `_Died`, and OSError where they find no room."""
        with os.fdopen(os.memfd_create("picture"), "wb", buffering=0) as file:
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
            file.seek(0)
            with suppress(ConnectionError):  # then there is no answer either
                socket.send_fds(self._socket, [b"?"], [file.fileno()])
            answer = self._receive(timeout)
        match answer:
            case {"rejected": str(why)}:
                raise PictureRejected(why)
            case {
                "content_type": "image/png" | "image/jpeg" as kind,
                "width": int(width),
                "height": int(height),
            }:
                return Picture(kind, width, height)
        raise _Died

    def interrupt(self) -> None:
        """Kill the child, so that whoever waits for its answer is told that it died."""
        self._process.kill()

    def end(self) -> None:
        """End it, whatever it is doing."""
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def _receive(self, timeout: float) -> object:
        self._socket.settimeout(timeout)
        try:
            message = self._socket.recv(_ANSWER_BYTES)
        except (TimeoutError, ConnectionError) as error:
            raise _Died from error
        if not message:
            self._process.wait()
            raise _Died
        try:
            return json.loads(message)
        except ValueError as error:
            raise _Died from error


def _started(asking: socket.socket) -> "subprocess.Popen[bytes]":
    """Start the program with nothing of ours: no environment, no descriptors, no place for it to write to."""
    root = str(Path(schemas.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _PROGRAM, *sys.path, root],
        stdin=asking.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
    )
