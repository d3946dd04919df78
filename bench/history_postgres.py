"""The same as `bench.history` over PostgreSQL: `python -m bench.history_postgres 1000000`.

It takes some minutes and 3 GB of disk for a million videos, in a private server's folder that it removes.
"""

import argparse
import asyncio
import time

import psycopg

from bench.history import RARE, live, measure, shown
from bench.postgres import database, database_server
from bench.seeding import EVENT, video_id
from store.database import Store

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
_VIDEO = "lpad(to_hex(n >> 16), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0')"
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
            connection.execute(_SEED.format(video=_VIDEO, at=at, body=EVENT, first=first, last=last).encode())
        connection.execute("UPDATE videos SET provider = 'homedesigns' WHERE id <= %s", (video_id(RARE - 1),))
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


def main() -> None:
    """Seed a database, measure, and leave nothing behind."""
    parser = argparse.ArgumentParser(prog="python -m bench.history_postgres", description=__doc__)
    parser.add_argument("videos", type=int, nargs="?", default=1_000_000)
    videos = parser.parse_args().videos
    now = time.time()
    with database_server() as server:
        url = database(server)
        began = time.perf_counter()
        seed(url, videos, now=now)
        print(f"{videos} videos, filled in {time.perf_counter() - began:.0f} s", flush=True)
        print_sizes(url)
        asyncio.run(measure(url, now=now))
        print_sizes(url)
        shown(*asyncio.run(live([url, database(server)], now=now)))


if __name__ == "__main__":
    main()
