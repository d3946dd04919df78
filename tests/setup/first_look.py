"""Print what a process finds of itself as it starts; run by `test_fork_server.py`."""

import json
import os
import random
import signal
import sys
import threading
import warnings
from pathlib import Path

from uuid_utils.compat import uuid7

from process import failpoints

_HELD_BY_LOOKING = 1

print(
    json.dumps(
        {
            "same": {
                "environment": dict(sorted(os.environ.items())),
                "folder": str(Path.cwd()),
                "path": sys.path,
                "words": sys.argv[1:],
                "all words": sys.orig_argv,
                "open files": len(list(Path("/proc/self/fd").iterdir())) - _HELD_BY_LOOKING,
                "signals": [str(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
                "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
                "group": os.getpgid(0),
                "session": os.getsid(0),
                "threads": threading.active_count(),
                "warnings": [str(each) for each in warnings.filters],
                "deaths": failpoints._plan.deaths,
                "input": sys.stdin.read(),
                "module": __name__,
            },
            "other": {"pid": os.getpid(), "random": random.random(), "uuid": uuid7().hex},
        }
    )
)
sys.stderr.write("to errors\n")
sys.exit(7)
