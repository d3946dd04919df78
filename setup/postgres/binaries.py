"""Find PostgreSQL's programs on this machine, or unpack Debian's package of them into a folder, without root."""

import os
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.debian import PackagesMissing, apt, to_install, unpacked

CACHE = Path(__file__).parents[2] / ".run" / "postgresql"
OLDEST = 14
DEBIAN = Path("usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where `initdb` and `postgres` are, and what they must be told where they were not installed."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)


def locate(cache: Path = CACHE) -> Binaries:
    """Return the programs of the newest version here, or fetch them. Raises `PackagesMissing`."""
    return installed() or fetch(cache)


def installed() -> Binaries | None:
    """Return what is installed on this machine, if it is new enough."""
    found = _newest(Path("/") / DEBIAN)
    if found:
        return Binaries(found)
    program = shutil.which("initdb")
    return Binaries(Path(program).resolve().parent) if program else None


def fetch(cache: Path = CACHE) -> Binaries:
    """Unpack Debian's server into `cache`; at once if that was done before. Raises `PackagesMissing`."""
    root = unpacked(cache, _packages)
    folder = _newest(root / DEBIAN)
    if folder is None:
        raise PackagesMissing(f"the packages in {root} hold no PostgreSQL {OLDEST} or newer")
    libraries = ":".join(map(str, root.glob("**/lib/*-linux-gnu")))
    return Binaries(folder, {"LD_LIBRARY_PATH": libraries})


def _packages(cache: Path) -> set[str]:
    sys.stderr.write("postgresql: fetching it from this machine's package archive\n")
    server = _server(cache)
    return {server} | to_install(cache, server)


def _server(cache: Path) -> str:
    """Name the newest server package that the archive offers."""
    names = apt(cache, "pkgnames", "postgresql-", program="apt-cache").split()
    versions = [int(match[1]) for name in names if (match := re.fullmatch(r"postgresql-(\d+)", name))]
    if max(versions, default=0) < OLDEST:
        raise PackagesMissing(f"the package archive has no PostgreSQL {OLDEST} or newer")
    return f"postgresql-{max(versions)}"


def _newest(folder: Path) -> Path | None:
    versions = [int(each.name) for each in folder.glob("*") if each.name.isdigit() and (each / "bin/initdb").exists()]
    newest = max(versions, default=0)
    return folder / str(newest) / "bin" if newest >= OLDEST else None


def environment(binaries: Binaries) -> dict[str, str]:
    """Return the environment in which the programs run."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", **binaries.environment}
