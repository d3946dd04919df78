"""Find RabbitMQ on this machine, or unpack Debian's packages of it into a folder, without root.

Installing the package would start a broker for the whole machine on 5672, open to guest; unpacking it
starts nothing and leaves nothing behind outside the folder.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.broker.errors import BrokerMissing
from sandbox.broker.releases import fetch_release
from sandbox.debian import PackagesMissing, apt, one_at_a_time, to_install, unpack, unpacked


def _cache() -> Path:
    checkout = Path(__file__).parents[2]
    if (checkout / "Makefile").exists():
        return checkout / ".run" / "rabbitmq"
    home = os.environ.get("XDG_CACHE_HOME") or Path(os.environ.get("HOME", tempfile.gettempdir())) / ".cache"
    return Path(home) / "reelbus" / "rabbitmq"


CACHE = _cache()
"""Where fetched programs are kept: `.run` of a checkout, else the user's cache."""
RELEASE = "RABBITMQ_RELEASE"
DEBIAN = Path("usr/lib/rabbitmq/bin")
ERLANG = Path("usr/lib/erlang")
HOW_TO_HELP = (
    "no RabbitMQ here, and none could be fetched: install rabbitmq-server or docker, "
    "or point REELBUS_AMQP_URL at a broker"
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where RabbitMQ's programs are, and the Erlang below `root` that runs them (None: the path's own)."""

    folder: Path
    root: Path | None = None

    @property
    def server(self) -> Path:
        """The program that is a broker."""
        return self.folder / "rabbitmq-server"

    @property
    def ctl(self) -> Path:
        """The program that commands a broker."""
        return self.folder / "rabbitmqctl"

    @property
    def epmd(self) -> str:
        """The name server that lets the two find each other."""
        own = self.folder / "epmd"
        if own.exists():
            return str(own)
        return str(self.root / ERLANG / "bin/epmd") if self.root else "epmd"

    def environment(self) -> dict[str, str]:
        """Return what Erlang must be told when it does not lie where it was built for."""
        path = os.environ.get("PATH", os.defpath)
        if not self.root:
            return {"PATH": path}
        [runtime] = (self.root / ERLANG).glob("erts-*/bin")
        return {
            "PATH": f"{self.root / 'launch'}:{path}",
            "ROOTDIR": str(self.root / ERLANG),
            "BINDIR": str(runtime),
            "EMU": "beam",
            "PROGNAME": "erl",
            "LD_LIBRARY_PATH": ":".join(map(str, self.root.glob("**/lib/*-linux-gnu"))),
        }


def locate(cache: Path = CACHE) -> Binaries:
    """Return RabbitMQ's programs, fetching them into `cache` if this machine has none.

    The variable RABBITMQ_RELEASE asks for another release than this machine's Debian has: see `releases`.

    Raises:
        BrokerMissing: there is none, and no way to get one.
    """
    release = os.environ.get(RELEASE)
    if release:
        return Binaries(fetch_release(release, CACHE))
    return installed() or fetch(cache)


def installed() -> Binaries | None:
    """Return RabbitMQ as installed on this machine, if it is."""
    debian = Path("/") / DEBIAN
    if (debian / "rabbitmq-server").exists():  # what the path offers refuses all users but two
        return Binaries(debian)
    found = shutil.which("rabbitmq-server")
    return Binaries(Path(found).resolve().parent) if found else None


def fetch(cache: Path = CACHE) -> Binaries:
    """Download and unpack Debian's packages into `cache`; at once if that was done before.

    Raises:
        BrokerMissing: this is no Debian, or its archive is out of reach.
    """
    root = cache / "root"
    with one_at_a_time(cache):
        if not root.exists():
            _say("fetching RabbitMQ from this machine's package archive")
            unpacked = _unpack(_download(cache), cache / "unpacking")
            unpacked.rename(root)
            shutil.rmtree(cache / "lists")
    return Binaries(root / DEBIAN, root)


def _download(cache: Path) -> Path:
    try:
        apt(cache, "update")
        wanted = to_install(cache, "rabbitmq-server")
        apt(cache, "download", *sorted(wanted | _erlang(cache)), inside=cache / "packages")
    except PackagesMissing as missing:
        raise BrokerMissing(f"{HOW_TO_HELP}\n({missing})") from None
    return cache / "packages"


def _erlang(cache: Path) -> set[str]:
    """Name Erlang's packages, which must lie together even where some are installed already."""
    tree = apt(cache, "depends", "--recurse", "--important", "rabbitmq-server", program="apt-cache")
    return {line for line in tree.splitlines() if line.startswith("erlang-") and not line.endswith("-hipe")}


def _unpack(packages: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    unpack(packages, target)
    [runtime] = (target / ERLANG).glob("erts-*/bin")
    # Erlang's own start script has its final place written into it; this start needs none.
    (target / "launch").mkdir()
    (target / "launch/erl").symlink_to(Path("..") / runtime.relative_to(target) / "erlexec")
    (target / "launch/escript").symlink_to(Path("..") / runtime.relative_to(target) / "escript")
    _trim(target)
    return target


def _trim(root: Path) -> None:
    """Remove the optional plugins: unused, they still double the time that a node takes to start."""
    [broker] = root.glob("usr/lib/rabbitmq/lib/*/plugins/rabbit-*/ebin/rabbit.app")
    needed = broker.read_text()
    for plugin in broker.parents[2].glob("rabbitmq_*"):
        if plugin.name.partition("-")[0] not in needed:
            shutil.rmtree(plugin)


def plugins_of(binaries: Binaries, cache: Path = CACHE) -> Mapping[str, str]:
    """Give what a node must be told to find the optional plugins, fetching those that `fetch` left out.

    Raises:
        BrokerMissing: they cannot be had.
    """
    if binaries.root is None:
        return {}
    try:
        root = unpacked(cache.parent / "rabbitmq-plugins", lambda _: ["rabbitmq-server"])
    except PackagesMissing as missing:
        raise BrokerMissing(f"RabbitMQ's plugins cannot be fetched: {missing}") from None
    [folder] = root.glob("usr/lib/rabbitmq/lib/*/plugins")
    return {"RABBITMQ_PLUGINS_DIR": str(folder)}


def _say(message: str) -> None:
    sys.stderr.write(f"broker: {message}\n")
