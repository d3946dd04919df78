"""Fill a store with videos, straight into its tables: what a service finds after a long life."""

import asyncio
import sqlite3
import time
from pathlib import Path

from schemas.names import Provider
from store.announcements import Role, announce
from store.database import Store

_NUMBERS = "WITH RECURSIVE n (n) AS (SELECT :first UNION ALL SELECT n + 1 FROM n WHERE n < :last)"

_VIDEOS = f"""
    {_NUMBERS}
    INSERT INTO videos (id, state, motion, orientation, metadata, choice, fallback, provider, image_url, input_image,
        caller, created_at, updated_at, completed_at)
    SELECT printf('%08x-0000-7000-8000-%012x', n >> 16, n), :video, 'zoom_in', 'landscape', '{{}}', 'iacrea', 0,
        'iacrea', 'https://pictures.example/house.jpg', 'https://pictures.example/house.jpg', ':local', :at, :at,
        CASE :video WHEN 'ready' THEN :at END FROM n
"""  # noqa: S608 - constant parts
_ATTEMPTS = f"""
    {_NUMBERS}
    INSERT INTO attempts (id, video_id, number, provider, state, provider_job_id, submitted_at, accepted_at, due_at,
        finished_at, detected_by, output_urls)
    SELECT printf('ffffffff%024x', n), printf('%08x-0000-7000-8000-%012x', n >> 16, n), 1, 'iacrea', :attempt,
        'job-' || n, :at, :at, CASE :attempt WHEN 'generating' THEN :due END,
        CASE :attempt WHEN 'succeeded' THEN :at END, CASE :attempt WHEN 'succeeded' THEN 'webhook' END,
        '["https://cdn.example/clip.mp4"]' FROM n
"""  # noqa: S608 - constant parts
_OUTBOX = f"""
    {_NUMBERS}
    INSERT INTO outbox (event_id, video_id, type, routing_key, body, created_at, published_at)
    SELECT printf('00000000-0000-5000-8000-%012x', n), printf('%08x-0000-7000-8000-%012x', n >> 16, n), 'video.ready',
        'ready.iacrea', :body, :at, :published FROM n
"""  # noqa: S608 - constant parts

EVENT = '{"specversion":"1.0","type":"video.ready","data":{"filling":"' + "x" * 1100 + '"}}'
"""An event of the usual size."""


def video_id(number: int) -> str:
    """Name a seeded video."""
    return f"{number >> 16:08x}-0000-7000-8000-{number:012x}"


def attempt_id(number: int) -> str:
    """Name a seeded video's attempt; as of an id of today, nobody need look up whether it is still awaited."""
    return f"ffffffff{number:024x}"


def create(folder: Path) -> Path:
    """Make a store in a folder, empty but for a generator's announcement."""
    path = folder / "reelbus.db"
    announce_provider(f"sqlite:///{path}")
    return path


def announce_provider(url: str) -> None:
    """Say in a store, made if it is missing, that a generator has a provider: else receivers take no request."""

    async def add() -> None:
        store = await Store.open(url)
        await store.write(announce, Role.GENERATOR, [Provider("iacrea")], now=time.time())
        await store.close()

    asyncio.run(add())


def seed_open(path: Path, first: int, count: int, *, at: float, due: float) -> None:
    """Add videos that their provider is making."""
    numbers = {"first": first, "last": first + count - 1, "at": at, "due": due}
    _run(path, [(_VIDEOS, {**numbers, "video": "generating"}), (_ATTEMPTS, {**numbers, "attempt": "generating"})])


def seed_finished(path: Path, first: int, count: int, *, at: float) -> None:
    """Add videos that are ready and announced."""
    numbers: dict[str, object] = {"first": first, "last": first + count - 1, "at": at, "due": None}
    steps = [(_VIDEOS, {**numbers, "video": "ready"}), (_ATTEMPTS, {**numbers, "attempt": "succeeded"})]
    _run(path, [*steps, (_OUTBOX, {**numbers, "body": EVENT, "published": at})])


def seed_events(path: Path, first: int, count: int, *, at: float) -> None:
    """Add events that wait to be published."""
    numbers = {"first": first, "last": first + count - 1, "at": at}
    _run(path, [(_OUTBOX, {**numbers, "body": EVENT, "published": None})])


def unpublished(path: Path) -> int:
    """Count the events that wait."""
    connection = sqlite3.connect(path, timeout=20)
    try:
        count: int = connection.execute("SELECT COUNT(*) FROM outbox WHERE published_at IS NULL").fetchone()[0]
        return count
    finally:
        connection.close()


def _run(path: Path, steps: list[tuple[str, dict[str, object]]]) -> None:
    connection = sqlite3.connect(path, timeout=20, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        for sql, parameters in steps:
            connection.execute(sql, parameters)
        connection.execute("COMMIT")
    finally:
        connection.close()
