"""Ask the address of a finished video whether a video is there, and read it from there, through the same guard."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from providers.http.guarded import AddressRefused, Guard, HostUnavailable

FIRST_BYTES = 1024
"""How much of a video is read to see what it is."""

_HEADERS = {"User-Agent": "reelbus", "Accept": "video/*, */*;q=0.1", "Accept-Encoding": "identity"}
_WHOLE_LENGTH = re.compile(r"bytes [0-9]+-[0-9]+/([0-9]{1,18})")
_PAGES = ("text/", "application/json", "application/problem+json", "application/xml", "application/xhtml+xml")
_PAGE_BEGINNINGS = (b"<", b"{", b"[")


class NoVideo(Exception):
    """No video is there now; the message says why and never names the address."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What lies at an address: its type and its length in bytes as its host gives them, and how it begins."""

    content_type: str | None
    length: int | None
    beginning: bytes
    _rest: aiohttp.StreamReader
    _most: int

    async def pieces(self) -> AsyncIterator[bytes]:
        """Read it whole. Raises `NoVideo` for one that is longer than allowed."""
        size, piece = 0, self.beginning
        while piece:
            size += len(piece)
            if size > self._most:
                raise NoVideo(_too_large(self._most))
            yield piece
            piece = await self._rest.readany()


async def examine(url: str, guard: Guard, *, timeout: float) -> Clip:
    """Ask for the beginning of what lies at an address. Raises `NoVideo`."""
    async with opened_clip(url, guard, timeout=timeout, first_bytes=FIRST_BYTES) as clip:
        return clip


@asynccontextmanager
async def opened_clip(
    url: str, guard: Guard, *, timeout: float, most: int = 2**63, first_bytes: int | None = None
) -> AsyncIterator[Clip]:
    """Give what lies at an address, of at most `most` bytes; with `first_bytes` only so many are asked for.

    Raises `NoVideo` for what is no video, does not answer, or breaks off inside the block.
    """
    headers = _HEADERS if first_bytes is None else {**_HEADERS, "Range": f"bytes=0-{first_bytes - 1}"}
    try:
        async with guard.opened(url, headers=headers, timeout=timeout) as response:
            length = _length(response)
            if (length or 0) > most:
                raise NoVideo(_too_large(most))
            beginning = await _beginning(response)
            yield Clip(_type_of(response), length, beginning, response.content, most)
    except (AddressRefused, HostUnavailable) as error:
        raise NoVideo(str(error)) from error


def _length(response: aiohttp.ClientResponse) -> int | None:
    if response.status not in (200, 206):
        raise NoVideo(f"the video's host answered {response.status}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise NoVideo("the video's host answered compressed, though asked not to")
    if response.status == 200:
        return response.content_length
    whole = _WHOLE_LENGTH.fullmatch(response.headers.get("Content-Range", ""))
    return int(whole[1]) if whole else None


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """Read the first bytes, and insist that they can be those of a video."""
    first = bytearray()
    while len(first) < FIRST_BYTES and (piece := await response.content.read(FIRST_BYTES - len(first))):
        first += piece
    if not first:
        raise NoVideo("the video's host answered with nothing")
    kind = _type_of(response) or ""
    if kind.startswith(_PAGES) or first.lstrip()[:1] in _PAGE_BEGINNINGS:
        raise NoVideo(f"the video's host answered with a page or a document ({kind or 'no type'})")
    return bytes(first)


def _type_of(response: aiohttp.ClientResponse) -> str | None:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind[:100] or None


def _too_large(most: int) -> str:
    return f"the video is larger than {most} bytes"
