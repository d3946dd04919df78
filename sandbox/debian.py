"""Debian's packages, unpacked into a folder of ours: nothing is installed or started, and nobody need be root."""

import fcntl
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType


class PackagesMissing(Exception):
    """The packages cannot be had here; the message says why."""


def apt(
    cache: Path,
    *command: str,
    program: str = "apt-get",
    inside: Path | None = None,
    more: Mapping[str, object] = MappingProxyType({}),
) -> str:
    """Run apt over lists and archives of its own in `cache`, with `more` options; give what it prints.

    Raises `PackagesMissing`.
    """
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise PackagesMissing("this machine has no apt-get")
    private = {
        "Dir::State::lists": cache / "lists",
        "Dir::Cache": cache,
        "Dir::Cache::archives": cache / "archives",
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "root",  # as root, do not switch to a user who may not enter our folder
        **more,
    }
    for folder in ("lists/partial", "archives/partial", "packages"):
        (cache / folder).mkdir(parents=True, exist_ok=True)
    options = [f"--option={name}={value}" for name, value in private.items()]
    try:
        run = [program, *options, *command]
        return subprocess.run(run, check=True, cwd=inside, text=True, capture_output=True).stdout
    except subprocess.CalledProcessError as failure:
        reason = failure.stderr.strip() or failure.stdout.strip()
        raise PackagesMissing(f"{program} {command[0]} said: {reason[-500:]}") from None


def to_install(cache: Path, *packages: str) -> set[str]:
    """Name the packages that installing these would install here."""
    plan = apt(cache, "install", "--simulate", "--no-install-recommends", *packages)
    return {line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")}


def unpack(packages: Path, target: Path) -> None:
    """Unpack every package of a folder into `target`, and remove the packages."""
    for package in sorted(packages.glob("*.deb")):
        subprocess.run(["dpkg", "-x", package, target], check=True)
        package.unlink()


@contextmanager
def one_at_a_time(cache: Path) -> Iterator[None]:
    """Lock a folder, so that one process at a time fetches into it."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def unpacked(cache: Path, choose: Callable[[Path], Iterable[str]]) -> Path:
    """Unpack the packages that `choose` names, given `cache`, and give the folder; at once if that was done before.

    Raises `PackagesMissing`.
    """
    root = cache / "root"
    with one_at_a_time(cache):
        if not root.exists():
            apt(cache, "update")
            apt(cache, "download", *sorted(choose(cache)), inside=cache / "packages")
            unpack(cache / "packages", cache / "unpacking")
            (cache / "unpacking").rename(root)
            shutil.rmtree(cache / "lists")
    return root
