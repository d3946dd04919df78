"""A fork server: one process that has loaded the service, and forks a child for each command that a test starts.

Most of what a start costs is loading, and a child of this process has it done. In all else it is as a process that was
started anew: its environment, folder, words, signals and open files are its own, and it runs the module from its
first line. What must be seen of a new interpreter (its memory, what it loads) is started as one: `Command.start`
with `fresh`.

Requests come over a socket of whole messages (SOCK_SEQPACKET); with each come standard output, standard error and a
pipe, into which go the child's number and in the end its exit status. A message without these has it end all children
that still run, and so has the going of whoever asks, with which it ends itself: no test leaves a process behind.
"""

import gc
import json
import os
import resource
import runpy
import selectors
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module, reload

LONGEST_REQUEST = 512 * 1024
_DESCRIPTORS = 3


@dataclass(frozen=True)
class Request:
    """What a child is to be."""

    module: str
    words: Sequence[str]
    env: Mapping[str, str]
    folder: str
    output: int
    errors: int


def next_child(control: socket.socket) -> Request | None:
    """Fork as one is asked to, and say of each child how it ended. Returns in a child, or when all is over."""
    waiting = selectors.DefaultSelector()
    waiting.register(control, selectors.EVENT_READ)
    while waiting.get_map():
        for key, _ in waiting.select():
            if key.data is not None:
                _tell_end(waiting, key.fd, *key.data)
                continue
            message, descriptors, _, _ = socket.recv_fds(control, LONGEST_REQUEST, _DESCRIPTORS)
            if descriptors:
                output, errors, told = descriptors
                number = os.fork()
                if number == 0:
                    waiting.close()
                    control.close()
                    return Request(**json.loads(message), output=output, errors=errors)
                os.close(output)
                os.close(errors)
                os.write(told, b"%d\n" % number)
                waiting.register(os.pidfd_open(number), selectors.EVENT_READ, (number, told))
            else:
                _end_all(waiting)
                if not message:
                    waiting.unregister(control)
    return None


def _end_all(waiting: selectors.BaseSelector) -> None:
    for key in waiting.get_map().values():
        if key.data is not None:
            signal.pidfd_send_signal(key.fd, signal.SIGKILL)


def _tell_end(waiting: selectors.BaseSelector, ended: int, number: int, told: int) -> None:
    _, status = os.waitpid(number, 0)
    waiting.unregister(ended)
    os.close(ended)
    with suppress(BrokenPipeError):  # whoever asked is gone
        os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
    os.close(told)


def become(child: Request) -> None:
    """Make of this fork what a process is that was just started."""
    os.dup2(child.output, 1)
    os.dup2(child.errors, 2)
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    os.environ.clear()
    os.environ.update(child.env)
    time.tzset()
    os.chdir(child.folder)
    sys.path[0] = child.folder
    sys.argv = [child.module, *child.words]
    sys.orig_argv = [sys.executable, "-m", *sys.argv]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    reload(import_module("process.failpoints"))  # it reads the environment as it is loaded


def main() -> None:
    """Load the modules that are named, then fork until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks
    control = socket.socket(fileno=int(sys.argv[1]))
    for name in sys.argv[2:]:
        import_module(name)
    gc.freeze()
    child = next_child(control)
    if child is not None:
        become(child)
        runpy.run_module(child.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
