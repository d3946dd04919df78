"""Newer releases of RabbitMQ, out of Debian's later suites, run in a root of their own beside this machine's libraries.

Their programs need a newer C library than the machine may have, so each starts in a mount namespace of its own
(`unshare`, as any user) whose root holds what the packages bring. The mounts end with the process.
"""

import os
import shutil
import subprocess
from pathlib import Path

from sandbox.broker.errors import BrokerMissing
from sandbox.debian import PackagesMissing, apt, one_at_a_time

SUITES = {"4.0": "trixie", "4.3": "forky"}
"""Where Debian has which release."""

_PROGRAMS = {
    "rabbitmq-server": "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "rabbitmqctl": "/usr/lib/rabbitmq/bin/rabbitmqctl",
    "epmd": "/usr/bin/epmd",
}
_TOOLS = ("bash", "coreutils", "findutils", "gawk", "grep", "hostname", "passwd", "procps", "sed", "util-linux")
_ENTER = """\
#!/bin/sh
# Enter the root with the node's own folder, which HOME names, and become the program.
[ "$(id -u)" = 0 ] || as_root="--user --map-root-user"
exec unshare $as_root --mount sh -c '
    root=$1; program=$2; shift 2
    mkdir -p "$root$HOME" && mount --bind "$HOME" "$root$HOME" || exit 1
    for each in proc dev; do mount --rbind "/$each" "$root/$each" || exit 1; done
    PATH=/usr/sbin:/usr/bin exec chroot "$root" "$program" "$@"
' enter "{root}" {program} "$@"
"""


def fetch_release(release: str, cache: Path) -> Path:
    """Unpack a release into a folder of `cache`, at once if that was done before; give the folder of its programs.

    Raises:
        BrokerMissing: there is no such release, or no way to get it.
    """
    if release not in SUITES:
        raise BrokerMissing(f"there is no RabbitMQ {release} here; there are {', '.join(SUITES)}")
    home = cache.parent / f"rabbitmq-{release}"
    with one_at_a_time(home):
        if not (home / "programs").exists():
            try:
                _unpack(_download(home, SUITES[release]), home / "root")
            except PackagesMissing as missing:
                raise BrokerMissing(f"RabbitMQ {release} cannot be fetched: {missing}") from None
            _write_programs(home)
    return home / "programs"


def _download(home: Path, suite: str) -> Path:
    apt(home, "update")  # which archive this machine uses is known only afterwards
    mirror = apt(home, "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").splitlines()[0]
    (home / "sources.list").write_text(f"deb {mirror} {suite} main\n")
    (home / "status").touch()
    other = {
        "Dir::Etc::sourcelist": home / "sources.list",
        "Dir::Etc::sourceparts": os.devnull,
        "Dir::State::status": home / "status",
    }
    apt(home, "update", more=other)
    plan = apt(home, "install", "--simulate", "--no-install-recommends", "rabbitmq-server", *_TOOLS, more=other)
    names = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    apt(home, "download", *names, inside=home / "packages", more=other)
    return home / "packages"


def _unpack(packages: Path, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "lib", "sbin", "lib64"):  # as Debian has it, before a package brings a folder
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(Path("usr") / name)
    for package in sorted(packages.glob("*.deb")):
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as reading:
            into = ["tar", "--extract", "--directory", str(root), "--keep-directory-symlink"]
            subprocess.run(into, stdin=reading.stdout, check=True)
        package.unlink()
    for name, target in (("sh", "bash"), ("awk", "gawk")):  # which a package's installation would link
        if not (root / "usr/bin" / name).exists():
            (root / "usr/bin" / name).symlink_to(target)
    for name in ("proc", "dev", "tmp"):
        (root / name).mkdir(exist_ok=True)
    for name in ("passwd", "group", "hosts"):
        shutil.copy(Path("/etc") / name, root / "etc" / name)


def _write_programs(home: Path) -> None:
    folder = home / "programs"
    folder.mkdir()
    for name, program in _PROGRAMS.items():
        (folder / name).write_text(_ENTER.format(root=home / "root", program=program))
        (folder / name).chmod(0o755)
