"""The same as `bench.history` over PostgreSQL: `python -m bench.history_postgres 1000000`.

For a million videos it takes half an hour, most of it sweeps, and 3 GB of disk, in a private server's folder that it
removes. For more, do one thing after the other in a database of your own, an empty one at first: `--url postgresql://…
--only fill`, then `--only ask --sweeps 1000`, `--only live`, and `--only backup`, which drops the database and restores
it.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

import psycopg

from bench.backup import back_up_and_restore
from bench.history import ALL, RARE, live, measure, shown
from bench.postgres import database, database_server
from bench.seeding import EVENT
from store.database import Store

_EMPTY = "reelbus_empty"
_SEED = """
INSERT INTO videos (id, state, motion, orientation, metadata, choice, fallback, provider, image_url, input_image,
    caller, created_at, updated_at, completed_at)
SELECT {video}, 'ready', 'zoom_in', 'landscape', '{{}}', 'iacrea', 0, 'iacrea', 'https://pictures.example/house.jpg',
    'https://pictures.example/house.jpg', ':local', {at}, {at}, {at} FROM generate_series({first}, {last}) AS n;
INSERT INTO attempts (id, video_id, number, provider, state, provider_job_id, submitted_at, accepted_at, finished_at,
    detected_by, output_urls)
SELECT 'ffffffff' || lpad(to_hex(n), 24, '0'), {video}, 1, 'iacrea', 'succeeded', 'job-' || n, {at}, {at}, {at},
    'webhook', '["https://cdn.example/clip.mp4"]' FROM generate_series({first}, {last}) AS n;
INSERT INTO outbox (event_id, video_id, type, routing_key, body, created_at, published_at)
SELECT '00000000-0000-5000-8000-' || lpad(to_hex(n), 12, '0'), {video}, 'video.ready', 'ready.iacrea', '{body}', {at},
    {at} FROM generate_series({first}, {last}) AS n;
INSERT INTO credits (provider, attempt_id, entry, remaining, sent_at, at)
SELECT 'iacrea', lpad(to_hex(n), 32, '0'), 'spent', 100000000 - n, {at}, {at} + 0.5
FROM generate_series({first}, {last}) AS n;
"""
_MILLISECONDS = "lpad(to_hex(floor(1000 * {at})::bigint), 12, '0')"
_VIDEO = f"regexp_replace({_MILLISECONDS}, '(.{{{{8}}}})', '\\\\1-') || '-7000-8000-' || lpad(to_hex(n), 12, '0')"
"""As of a real id, its beginning is the time at which the video was made."""
_AT_ONCE = 250_000
_SIZES = """
SELECT relname, pg_total_relation_size(c.oid), pg_indexes_size(c.oid) FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = relnamespace AND nspname = 'public'
WHERE relkind = 'r' ORDER BY 2 DESC LIMIT 6
"""


def seed(url: str, videos: int, *, now: float) -> None:
    """Fill an empty database with a year's finished videos."""
    asyncio.run(_make_tables(url))
    began = now - 365 * 86400
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        for first in range(0, videos, _AT_ONCE):
            last = min(first + _AT_ONCE, videos) - 1
            at = f"({began} + n * {(now - began) / videos})"
            video = _VIDEO.format(at=at)
            connection.execute(_SEED.format(video=video, at=at, body=EVENT, first=first, last=last).encode())
        connection.execute(
            "UPDATE videos SET provider = 'homedesigns' WHERE id IN (SELECT id FROM videos ORDER BY id LIMIT %s)",
            (RARE,),
        )
        connection.execute("VACUUM ANALYZE")


async def _make_tables(url: str) -> None:
    await (await Store.open(url)).close()


def print_sizes(url: str) -> None:
    """Print how large the database and its largest tables are, and what a vacuum of them takes."""
    with psycopg.connect(url, autocommit=True) as connection:
        whole = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        print(f"database: {(whole or (0,))[0] / 1e9:.2f} GB")
        for name, size, indexes in connection.execute(_SIZES.encode()).fetchall():
            began = time.perf_counter()
            connection.execute(f"VACUUM {name}".encode())
            took = time.perf_counter() - began
            print(f"{name:<20} {size / 1e6:8.0f} MB, of it indexes {indexes / 1e6:7.0f} MB, vacuumed in {took:6.2f} s")


def _fill(url: str, videos: int, *, now: float) -> None:
    began = time.perf_counter()
    seed(url, videos, now=now)
    print(f"{videos} videos, filled in {time.perf_counter() - began:.0f} s", flush=True)


def _ask(url: str, *, now: float, sweeps: int) -> None:
    print_sizes(url)
    asyncio.run(measure(url, now=now, sweeps=sweeps))
    print_sizes(url)


def _beside_an_empty_one(url: str, *, now: float) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {_EMPTY}".encode())
        connection.execute(f"CREATE DATABASE {_EMPTY}".encode())
    shown(*asyncio.run(live([url, f"{url.rpartition('/')[0]}/{_EMPTY}"], now=now)))


def _back_up(url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        back_up_and_restore(url, Path(folder))


def main() -> None:
    """Seed a database, measure, and leave nothing behind unless its address was given."""
    parser = argparse.ArgumentParser(prog="python -m bench.history_postgres", description=__doc__)
    parser.add_argument("videos", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--sweeps", type=int, default=ALL, help="measure no more of them; all by default")
    parser.add_argument("--url", help="the address of an empty database, or, with --only, of the one that is filled")
    parser.add_argument("--only", choices=("fill", "ask", "live", "backup"), help="do one thing alone")
    given = parser.parse_args()
    now = time.time()
    steps: dict[str, Callable[[str], None]] = {
        "fill": partial(_fill, videos=given.videos, now=now),
        "ask": partial(_ask, now=now, sweeps=given.sweeps),
        "live": partial(_beside_an_empty_one, now=now),
        "backup": _back_up,
    }
    with nullcontext(given.url) if given.url else _of_our_own() as url:
        for name, step in steps.items():
            if given.only in {None, name}:
                step(url)


@contextmanager
def _of_our_own() -> Iterator[str]:
    with database_server() as server:
        yield database(server)


if __name__ == "__main__":
    main()
