"""Programs that deploy/ is tried with: `python3 -m setup.tools` finds or unpacks each, one Debian package apiece."""

import os
import shutil
import sys
from pathlib import Path

from sandbox.debian import PackagesMissing, unpacked

CACHE = Path(__file__).parents[1] / ".run" / "tools"
PACKAGES = {"promtool": "prometheus", "prometheus": "prometheus", "caddy": "caddy"}
"""By program; all are statically linked, so that nothing else of Debian is needed."""


def locate(program: str, cache: Path = CACHE) -> Path:
    """Find a program on this machine, or unpack its package into `cache`. Raises `PackagesMissing`."""
    installed = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/bin")
    package = PACKAGES[program]
    return Path(installed) if installed else unpacked(cache / package, lambda _: {package}) / "usr/bin" / program


def main() -> int:
    """Make all ready; give the exit status."""
    try:
        for program in PACKAGES:
            locate(program)
    except PackagesMissing as missing:
        sys.stderr.write(f"tools: no prometheus or caddy here, and none could be fetched: install both ({missing})\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
