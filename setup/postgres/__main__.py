"""Fetch PostgreSQL's programs for the tests: `python3 -m setup.postgres`."""

import sys

from sandbox.debian import PackagesMissing
from setup.postgres.binaries import locate

if __name__ == "__main__":
    try:
        locate()
    except PackagesMissing as missing:
        sys.stderr.write(f"postgresql: none here, and none could be fetched: install it ({missing})\n")
        sys.exit(1)
