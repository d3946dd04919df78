"""What the stand-ins have in common, and how any of them refuses a request."""

import asyncio
from dataclasses import dataclass

from starlette.responses import Response

from sandbox.pictures import PictureCache
from sandbox.records import Records
from sandbox.settings import SandboxSettings
from sandbox.webhooks import Webhooks


class Refused(Exception):
    """This request gets that answer and has no effect."""

    def __init__(self, answer: Response, why: str) -> None:
        super().__init__(why)
        self.answer = answer
        self.why = why


@dataclass(frozen=True, slots=True)
class SandboxContext:
    """What the two stand-ins have in common."""

    settings: SandboxSettings
    records: Records
    shelf: PictureCache
    webhooks: Webhooks
    closing: asyncio.Event
