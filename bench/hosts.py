"""Goal p6: one and three hosts' worth of processes over one PostgreSQL; what each role needs for a video.

On one machine several hosts' rates cannot be measured. What can is how much more of our processors' time a video takes
where three processes of each role share one database and each host has as many callers as the one: three hosts with
processors of their own make `3 * one's time / three's time` of one's videos, as long as the database and the broker
keep up.
"""

from contextlib import ExitStack
from statistics import median

import psycopg

from bench.consuming import EXCHANGE
from bench.load import Generator, Load
from bench.measures import Row
from bench.pipeline import provider_settings, standin
from bench.postgres import database, database_server
from bench.processes import Started
from bench.seeding import announce_provider
from bench.setting import Setting
from setup.postgres.server import Server

_ROLES = ("receiver", "generator", "poller", "publisher")
_COUNTING = "shared_preload_libraries = 'pg_stat_statements'\n"
_COUNTED = """
SELECT substr(rolname, 6), sum(calls), sum(wal_bytes) FROM pg_stat_statements AS s
JOIN pg_roles AS r ON r.oid = s.userid
WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND rolname LIKE 'role\\_%' GROUP BY 1
"""


def measure_hosts(setting: Setting) -> list[Row]:
    """Measure the processor time of each role a video with one and with three processes of each, in turns."""
    count = 150 if setting.quick else 600
    with database_server(_COUNTING) as server, ExitStack() as stack:
        _make_users(server)
        worlds = {hosts: _Hosts(setting, stack, server, hosts) for hosts in (1, 3)}
        used: dict[int, list[dict[str, float]]] = {hosts: [] for hosts in worlds}
        for number in range(setting.rounds + 1):
            for hosts, world in worlds.items():
                found = world.round(count)
                used[hosts] += [found] if number else []
        videos = count * (setting.rounds + 1)
        counted, kept = worlds[1].counted(videos), worlds[1].kept(videos)
    one, three = ([sum(found.values()) for found in used[hosts]] for hosts in (1, 3))
    rows = [
        Row(
            "p6", "3 hosts' processes against 1, of our CPU a video: 3 * one's / three's",
            [3 * median(one) / each for each in three], 2.4, 2.8,
        ),
    ]  # fmt: skip
    rows += [
        Row("p6", f"{role}: CPU a video, {hosts} of each role", [1e6 * each[role] for each in used[hosts]], unit="µs")
        for hosts in (1, 3)
        for role in _ROLES
    ]
    rows.append(Row("p6", "bytes that the database grows by a video, what was updated not yet vacuumed", [kept]))
    for role, (statements, written) in counted.items():
        rows.append(Row("p6", f"{role}: statements a video, commits with them, 1 of each role", [statements]))
        rows.append(Row("p6", f"{role}: bytes of PostgreSQL's log a video, 1 of each role", [written]))
    return rows


def _make_users(server: Server) -> None:
    """Make each role a user of the database of its own, by which its statements are counted."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for role in _ROLES:
            connection.execute(f"CREATE USER role_{role} SUPERUSER PASSWORD 'of-a-benchmark'".encode())


class _Hosts:
    """So many processes of each role over one database; each receiver has its callers and its provider's webhooks."""

    def __init__(self, setting: Setting, stack: ExitStack, server: Server, hosts: int) -> None:
        self._address = database(server)
        announce_provider(self._address)
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")
        self._empty = self._size()
        exchange = f"{EXCHANGE}.{hosts}-hosts"
        self._roles: dict[str, list[Started]] = {role: [] for role in _ROLES}
        self._callers: list[tuple[Generator, int]] = []
        for _ in range(hosts):
            folder = setting.fresh()
            env = provider_settings(stack.enter_context(standin(setting))) | {"REELBUS_EXCHANGE": exchange}
            for role in _ROLES:
                env["REELBUS_DATABASE_URL"] = self._as_user(server, role)
                started = stack.enter_context(setting.role(role, folder, **env))
                self._roles[role].append(started.process)
                if role == "receiver":
                    caller = Generator(stack.enter_context(Started(["bench.load"], folder=folder)))
                    self._callers.append((caller, started.port))
                    env["REELBUS_PUBLIC_URL"] = f"http://127.0.0.1:{started.port}"
        self._subscriber = stack.enter_context(
            Started(["bench.consuming", setting.broker.url, exchange], folder=setting.folder)
        )
        self._subscriber.line()

    def round(self, count: int) -> dict[str, float]:
        """Make so many videos a host; give each role's seconds of processor time a video."""
        before, made = self._used(), count * len(self._callers)
        for caller, port in self._callers:
            caller.begin(Load(port, "video", 60, connections=8, count=count))
        self._subscriber.tell(str(2 * made))  # each video is announced when it is submitted and when it is ready
        self._subscriber.line()
        for caller, _ in self._callers:
            caller.end()
        after = self._used()
        return {role: (after[role] - before[role]) / made for role in _ROLES}

    def counted(self, videos: int) -> dict[str, tuple[float, float]]:
        """Give each role's statements, and its bytes of the database's log, a video, of all rounds together."""
        with psycopg.connect(self._address, autocommit=True) as connection:
            found = connection.execute(_COUNTED.encode()).fetchall()
        return {role: (float(calls) / videos, float(written) / videos) for role, calls, written in found}

    def kept(self, videos: int) -> float:
        """Give the bytes that the database has grown by, a video."""
        return (self._size() - self._empty) / videos

    def _size(self) -> int:
        with psycopg.connect(self._address, autocommit=True) as connection:
            found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int((found or (0,))[0])

    def _used(self) -> dict[str, float]:
        return {role: sum(process.cpu() for process in processes) for role, processes in self._roles.items()}

    def _as_user(self, server: Server, role: str) -> str:
        return f"postgresql://role_{role}:of-a-benchmark@127.0.0.1:{server.port}/{self._address.rpartition('/')[2]}"
