"""The private PostgreSQL of the tests ends with its owner, however that ends."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

_OWNER = """
import time
from setup.postgres.server import Server
server = Server()
server.start()
print(server.pid, server.folder, flush=True)
time.sleep(600)
"""


def test_a_server_whose_owner_is_killed_ends_and_leaves_nothing() -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", _OWNER], cwd=root, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid, folder = owner.stdout.readline().split()
        server = os.pidfd_open(int(pid))
        owner.send_signal(signal.SIGKILL)
    ended = select.poll()
    ended.register(server, select.POLLIN)
    assert ended.poll(30_000)
    give_up_at = time.monotonic() + 30
    while Path(folder).exists():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
