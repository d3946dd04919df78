"""Copies of finished videos in an object store that speaks S3, through obstore (`reelbus[s3]`).

Where it is, and with what credentials, AWS's own variables say: `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`,
`AWS_SECRET_ACCESS_KEY`; on AWS itself the role of the machine. obstore reads them, and works on threads of its own.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from poller.keeping import Copy, NotKept, ending_of, insist_on_length

PART_BYTES = 5 * 2**20
"""Of a copy that is sent in parts; two parts are held in memory. S3 takes no smaller ones."""

_PARTS_AT_ONCE = 1
_MEND = "check REELBUS_KEEP_RESULTS and the AWS_ variables"


class ClipBucket:
    """Keeps copies as objects below `s3://bucket/prefix`. A part is sent with its SHA-256, which the store checks."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._store = S3Store.from_url(
            self._url,
            config={"checksum_algorithm": "SHA256"},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
        )

    async def keep(self, name: str, content_type: str | None, length: int | None, pieces: AsyncIterator[bytes]) -> Copy:
        """Send a clip while it is read; it is seen there whole or not at all. In the end its length is asked for."""
        path = name + ending_of(content_type)
        clip = _Read(pieces, length)
        attributes = {"Content-Type": content_type} if content_type else {}
        try:
            await obstore.put_async(
                self._store,
                path,
                clip.pieces(),
                attributes=attributes,
                chunk_size=PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )
            found = await obstore.head_async(self._store, path)
        except Exception as error:
            if clip.error is not None:
                raise clip.error from None
            if not isinstance(error, BaseError | OSError | ValueError):
                raise
            raise NotKept(f"{_fault(error)}: {_MEND}") from error
        insist_on_length(found["size"], clip.size)
        return Copy(f"{self._url}/{quote(path)}", clip.size)


class _Read:
    """A clip that is being read; it breaks off, and with it the copy, where it is not as long as promised."""

    def __init__(self, pieces: AsyncIterator[bytes], length: int | None) -> None:
        self._pieces = pieces
        self._length = length
        self.size = 0
        self.error: Exception | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._pieces:
                self.size += len(piece)
                yield piece
            insist_on_length(self.size, self._length)
        except Exception as error:
            self.error = error
            raise


def _fault(error: Exception) -> str:
    """Say what was amiss, without the addresses and answers that obstore tells of."""
    match error:
        case FileNotFoundError():
            return "the object store knows no such bucket"
        case PermissionDeniedError() | UnauthenticatedError() | PermissionError():
            return "the object store refused our credentials"
        case _:
            return f"the copy could not be stored ({type(error).__name__})"
