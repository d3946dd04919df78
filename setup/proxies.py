"""nginx and haproxy for the tests, as installed or unpacked into a folder: `python3 -m setup.proxies` fetches them."""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.debian import PackagesMissing, to_install, unpacked

CACHE = Path(__file__).parents[1] / ".run" / "proxies"
NAMES = ("nginx", "haproxy")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A program, and the environment that it needs where it was not installed."""

    path: Path
    environment: dict[str, str]


def locate(name: str, cache: Path = CACHE, together: Sequence[str] = NAMES) -> Proxy:
    """Find a proxy on this machine, or unpack those of one cache `together` into it. Raises `PackagesMissing`."""
    installed = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if installed:
        return Proxy(Path(installed), dict(os.environ))
    root = unpacked(cache, lambda folder: {*together, *to_install(folder, *together)})
    libraries = ":".join(map(str, root.glob("**/lib/*-linux-gnu")))
    return Proxy(root / "usr/sbin" / name, {**os.environ, "LD_LIBRARY_PATH": libraries})


def main() -> int:
    """Make both ready; give the exit status."""
    try:
        for name in NAMES:
            locate(name)
    except PackagesMissing as missing:
        sys.stderr.write(f"proxies: no nginx or haproxy here, and none could be fetched: install both ({missing})\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
