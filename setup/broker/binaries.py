"""Find RabbitMQ on this machine, or unpack Debian's packages of it into a folder, without root.

Installing the package would start a broker for the whole machine on 5672, open to guest; unpacking it
starts nothing and leaves nothing behind outside the folder.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from setup.broker.errors import BrokerMissing

CACHE = Path(__file__).parents[2] / ".run" / "rabbitmq"
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

    Raises:
        BrokerMissing: there is none, and no way to get one.
    """
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
    with _alone(cache):
        if not root.exists():
            _say("fetching RabbitMQ from this machine's package archive")
            unpacked = _unpack(_download(cache), cache / "unpacking")
            unpacked.rename(root)
            shutil.rmtree(cache / "lists")
    return Binaries(root / DEBIAN, root)


def _download(cache: Path) -> list[Path]:
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise BrokerMissing(HOW_TO_HELP)
    for folder in ("lists/partial", "archives/partial", "packages"):
        (cache / folder).mkdir(parents=True, exist_ok=True)
    _apt(cache, "update")
    plan = _apt(cache, "install", "--simulate", "--no-install-recommends", "rabbitmq-server")
    wanted = {line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")}
    _apt(cache, "download", *sorted(wanted | _erlang(cache)), inside=cache / "packages")
    return sorted((cache / "packages").glob("*.deb"))


def _erlang(cache: Path) -> set[str]:
    """Name Erlang's packages, which must lie together even where some are installed already."""
    tree = _apt(cache, "depends", "--recurse", "--important", "rabbitmq-server", program="apt-cache")
    return {line for line in tree.splitlines() if line.startswith("erlang-") and not line.endswith("-hipe")}


def _unpack(packages: list[Path], target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for package in packages:
        subprocess.run(["dpkg", "-x", package, target], check=True)
        package.unlink()
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


def _apt(cache: Path, *command: str, program: str = "apt-get", inside: Path | None = None) -> str:
    private = {
        "Dir::State::lists": cache / "lists",
        "Dir::Cache": cache,
        "Dir::Cache::archives": cache / "archives",
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "root",  # as root, do not switch to a user who may not enter our folder
    }
    options = [f"--option={name}={value}" for name, value in private.items()]
    try:
        run = [program, *options, *command]
        return subprocess.run(run, check=True, cwd=inside, text=True, capture_output=True).stdout
    except subprocess.CalledProcessError as failure:
        reason = failure.stderr.strip() or failure.stdout.strip()
        raise BrokerMissing(f"{HOW_TO_HELP}\n({program} {command[0]} said: {reason[-500:]})") from None


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Let one process at a time fetch into the same folder."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _say(message: str) -> None:
    sys.stderr.write(f"broker: {message}\n")
