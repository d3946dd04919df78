"""Fetch a stranger's picture, through the guard against SSRF."""

import aiohttp

from providers.http.guarded import AddressRefused, Guard, HostUnavailable, Resolve
from providers.http.session import head_of

_HEADERS = {
    "User-Agent": "reelbus",
    "Accept": "image/png, image/jpeg, */*;q=0.1",
    "Accept-Encoding": "identity",
}


class PictureRefused(Exception):
    """There is no picture for us at this address, and asking again would not change it."""


class PictureUnavailable(Exception):
    """The picture's host gave no answer this time. `retry_after` is in seconds, where it named a wait."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


async def fetch_picture(url: str, *, resolver: Resolve, allow_private: bool, max_bytes: int, timeout: float) -> bytes:
    """Fetch at most `max_bytes` within `timeout` seconds, redirects included; what they are is not checked.

    Raises `PictureRefused` or `PictureUnavailable`; neither names the address.
    """
    guard = Guard(resolver, allow_private, "picture")
    try:
        async with guard.opened(url, headers=_HEADERS, timeout=timeout) as response:
            _check_head(response, max_bytes)
            return await _read(response, max_bytes)
    except AddressRefused as error:
        raise PictureRefused(str(error)) from error
    except HostUnavailable as error:
        raise PictureUnavailable(str(error)) from error


def _check_head(response: aiohttp.ClientResponse, max_bytes: int) -> None:
    status = response.status
    if status in (408, 429) or status >= 500:
        raise PictureUnavailable(f"the picture's host answered {status}", head_of(response).retry_after)
    if status != 200:
        raise PictureRefused(f"the picture's host answered {status}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise PictureRefused("the picture's host answered compressed, though asked not to")
    if (response.content_length or 0) > max_bytes:
        raise PictureRefused(_too_large(max_bytes))


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    picture = bytearray()
    while chunk := await response.content.readany():
        picture += chunk
        if len(picture) > max_bytes:
            raise PictureRefused(_too_large(max_bytes))
    if not picture:
        raise PictureRefused("the picture's host answered with nothing")
    return bytes(picture)


def _too_large(max_bytes: int) -> str:
    return f"the picture is larger than {max_bytes} bytes"
