"""The generator in a process of the service."""

import asyncio
from functools import partial

import generator.run
from generator.pictures import Pictures
from poller.drift import DriftSentinel
from poller.run import LEARN_SECONDS
from process.addresses import Addresses
from process.repeating import repeat
from providers.http.names import NameThreads
from providers.http.pictures import fetch_picture
from reelbus.parts import Parts
from store.database import StoreUnavailable


async def run(parts: Parts) -> None:
    """Submit videos, and keep what is learnt meanwhile of the shapes of answers."""
    settings = parts.settings
    fetch = partial(
        fetch_picture,
        resolver=NameThreads(),
        allow_private=settings.allow_private_image_hosts,
        max_bytes=settings.max_body_bytes,
        timeout=settings.provider_timeout,
    )
    addresses = Addresses(settings.base_url, parts.signer, media_ttl=settings.media_ttl)
    pictures = Pictures(parts.store, addresses, fetch, parts.inspectors)
    sentinel = DriftSentinel(parts.store)
    keep = repeat(sentinel.keep, parts.stop, every=LEARN_SECONDS, expected=(StoreUnavailable,))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep)
        tasks.create_task(
            generator.run.run(parts.store, parts.policy, parts.clients, pictures, parts.stop, sentinel.watch)
        )
