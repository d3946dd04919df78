"""Play a provider's webhook against our own service: `reelbus webhook replay VIDEO`."""

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx

from process.settings import Settings
from providers.registry import PROVIDERS
from reelbus.errors import BAD_USAGE, FAILURE, NOT_FOUND, UNAVAILABLE, settings_or_exit, stop_with
from reelbus.wiring import opened_store, signer_of
from store import attempts, videos, webhooks
from store.database import StoreUnavailable
from store.look import look, sqlite_file
from store.migrate import StoreTooNew
from store.transaction import Tx

_LARGEST_BODY = 64 * 1024
_TIMEOUT_SECONDS = 30.0


class _NoHook(Exception):
    """There is no webhook to play; the message says why, `status` is the command's exit status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _Hook(NamedTuple):
    """Whose webhook it is, for which attempt, and the body that came last, if any."""

    provider: str
    attempt_id: str
    number: int
    last_body: bytes | None


def replay(video_id: str, file: Path | None) -> int:
    """Send the webhook of a video's newest attempt to the service of the settings; give the exit status.

    Its body is the file's, else what the provider sent last, else `{}`. It is not believed: it means "look now".
    """
    settings = settings_or_exit()
    body = None if file is None else _read(file)
    try:
        hook, token = asyncio.run(_find(settings, video_id))
    except _NoHook as error:
        stop_with(str(error), error.status)
    except (StoreUnavailable, StoreTooNew, OSError) as error:
        stop_with(f"cannot read the store: {error}; check REELBUS_DATABASE_URL", UNAVAILABLE)
    base = settings.url or settings.local_url
    sent = body if body is not None else hook.last_body or b"{}"
    try:
        address = f"{base}/webhooks/{hook.provider}/{token}"
        headers = {"content-type": "application/json"}
        answer = httpx.post(address, content=sent, headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        stop_with(f"cannot reach {base}: {why}; is a receiver running there?", UNAVAILABLE)
    sys.stdout.write(f"{answer.status_code}  {hook.provider} attempt {hook.number}  {len(sent)} bytes\n")
    if answer.status_code == 200:
        return 0
    sys.stderr.write("not taken: its address may have ended, or another receiver (other secret) listens there\n")
    return FAILURE


def _read(file: Path) -> bytes:
    try:
        body = file.read_bytes()
    except OSError as error:
        stop_with(f"--body {file} cannot be read: {error.strerror}", BAD_USAGE)
    if len(body) > _LARGEST_BODY:
        stop_with(f"--body {file} is larger than 64 KiB, which no webhook's kept body is", BAD_USAGE)
    return body


async def _find(settings: Settings, video_id: str) -> tuple[_Hook, str]:
    file = sqlite_file(settings.database_url)
    if file is not None and look(file) is None:
        raise _NoHook(f"there is no store at {file}; run this where the service's settings are", NOT_FOUND)
    async with opened_store(settings) as store:
        hook = await store.read(partial(_hook_of, video_id=video_id))
        signer = await signer_of(settings, store)
    return hook, signer.webhook_token(hook.attempt_id)


def _hook_of(tx: Tx, *, video_id: str) -> _Hook:
    if videos.get(tx, video_id) is None:
        raise _NoHook(f"there is no video {video_id} in this store; `reelbus list` shows those there are", NOT_FOUND)
    calling = [each for each in attempts.of_videos(tx, [video_id])[video_id] if PROVIDERS[each.provider].calls_back]
    if not calling:
        raise _NoHook(f"no attempt of {video_id} is at a provider that calls a webhook", FAILURE)
    newest = calling[-1]
    kept = webhooks.with_bodies(tx, newest.id, limit=1)
    return _Hook(newest.provider, newest.id, newest.number, kept[0].body if kept else None)
