"""Which uploaded picture belongs to which video, where its bytes are, and when nobody needs it any more."""

from collections.abc import Sequence
from typing import NamedTuple

from store.transaction import Tx


class Upload(NamedTuple):
    """An uploaded picture; `size` is in bytes.

    `name` is that under which `store.pictures` keeps it. Without one an earlier release put its bytes into a row,
    and noted no `sha256`.
    """

    content_type: str
    size: int
    sha256: str | None
    name: str | None


class Dropped(NamedTuple):
    """How many pictures no video has any more, and the names of those that are kept outside the rows."""

    number: int
    names: list[str]


def add(tx: Tx, video_id: str, upload: Upload) -> None:
    """Say which picture a video is made from."""
    tx.execute(
        "INSERT INTO uploads (video_id, content_type, size, sha256, name) VALUES (?, ?, ?, ?, ?)", (video_id, *upload)
    )


def of_video(tx: Tx, video_id: str) -> Upload | None:
    """Read which picture a video is made from, if it was uploaded and is still kept."""
    row = tx.execute("SELECT content_type, size, sha256, name FROM uploads WHERE video_id = ?", (video_id,)).fetchone()
    return None if row is None else Upload(*row)


def body(tx: Tx, video_id: str) -> bytes | None:
    """Read a picture that an earlier release put into a row."""
    row = tx.execute("SELECT body FROM pictures WHERE video_id = ?", (video_id,)).fetchone()
    return None if row is None else bytes(row[0])


def copy_body(tx: Tx, video_id: str, to_video_id: str) -> None:
    """Give another video, made from the same picture, those bytes that an earlier release put into a row, if any."""
    tx.execute(
        "INSERT INTO pictures (video_id, content_type, body)"
        " SELECT ?, content_type, body FROM pictures WHERE video_id = ?",
        (to_video_id, video_id),
    )


def retire(tx: Tx, video_id: str, *, now: float) -> None:
    """Say that a video has ended, so that its picture will not be needed for long."""
    tx.execute("UPDATE uploads SET unused_since = ? WHERE video_id = ?", (now, video_id))


def drop(tx: Tx, *, unused_before: float, limit: int) -> Dropped:
    """Drop up to `limit` pictures whose videos ended before a time. Their files are to be removed after the commit.

    A file that a retry of such a video still needs is not among them.
    """
    rows = tx.execute(
        "SELECT video_id, name FROM uploads WHERE unused_since < ? ORDER BY unused_since LIMIT ?",
        (unused_before, limit),
    ).fetchall()
    tx.executemany("DELETE FROM uploads WHERE video_id = ?", [(video_id,) for video_id, _ in rows])
    tx.executemany("DELETE FROM pictures WHERE video_id = ?", [(video_id,) for video_id, name in rows if name is None])
    names = list(dict.fromkeys(name for _, name in rows if name is not None))
    return Dropped(len(rows), without_video(tx, names) if names else [])


def without_video(tx: Tx, names: Sequence[str]) -> list[str]:
    """Pick from some names those that belong to no video."""
    marks = ", ".join("?" * len(names))
    rows = tx.execute(f"SELECT name FROM uploads WHERE name IN ({marks})", tuple(names)).fetchall()  # noqa: S608 - only marks
    known = {name for (name,) in rows}
    return [name for name in names if name not in known]


def keep_body(tx: Tx, name: str, body: bytes, *, now: float) -> None:
    """Keep a picture's bytes in a row, which `uploads` is to name soon."""
    tx.execute("INSERT INTO picture_bodies (name, body, kept_at) VALUES (?, ?, ?)", (name, body, now))


def kept_body(tx: Tx, name: str) -> bytes | None:
    """Read a picture's bytes from their row."""
    row = tx.execute("SELECT body FROM picture_bodies WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


def drop_bodies(tx: Tx, names: Sequence[str]) -> None:
    """Drop the rows of these pictures."""
    tx.executemany("DELETE FROM picture_bodies WHERE name = ?", [(name,) for name in names])


def drop_orphans(tx: Tx, *, before: float, limit: int) -> int:
    """Drop up to `limit` pictures that were kept before a time and that no video has; say how many."""
    return tx.execute(
        "DELETE FROM picture_bodies WHERE name IN (SELECT name FROM picture_bodies WHERE kept_at < ?"
        " AND NOT EXISTS (SELECT 1 FROM uploads WHERE uploads.name = picture_bodies.name)"
        " ORDER BY kept_at LIMIT ?)",
        (before, limit),
    ).rowcount
