"""Inspectors with faults, such as a library's may be: no picture is known that finds a real one."""

import pytest

from process import inspector

_PROGRAM = """
import sys
sys.path[:] = sys.argv[1:]
import ctypes, socket, time
from process import inspected
from schemas.picture import Picture, inspect

def odd(data):
    if data.startswith(b"burn"):
        while True:
            pass
    if data.startswith(b"crash"):
        ctypes.string_at(0)
    if data.startswith(b"sleep"):
        time.sleep(3600)
    if data.startswith(b"swell"):
        bytearray(2 ** 30)
    if data.startswith(b"lie"):
        return Picture("text/html", 512, 512)
    if data.startswith(b"write"):
        with open(data[5:], "w") as file:
            file.write("something")
    return inspect(data)

inspected.inspect = odd
inspected.serve(socket.socket(fileno=0))
"""
"""What bytes that begin so have it do instead of looking into them."""


def odd_inspectors(patching: pytest.MonkeyPatch) -> None:
    """Have every inspector that is started from now on be such a one."""
    patching.setattr(inspector, "_PROGRAM", _PROGRAM)
