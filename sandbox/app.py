"""Assemble the stand-ins, the finished clips and the control routes into one application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sandbox.clips import Clips
from sandbox.context import SandboxContext
from sandbox.control import Control
from sandbox.evidence import Evidence
from sandbox.homedesigns import HomeDesigns
from sandbox.iacrea import Iacrea
from sandbox.loopback import Loopback
from sandbox.pictures import PictureCache
from sandbox.records import Records
from sandbox.settings import SandboxSettings
from sandbox.webhooks import Webhooks

WATCHABLE = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
"""A console on another port may show the clips."""


class Sandbox(Starlette):
    """An application whose requests can be dropped: it passes on the server's transport."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        # uvicorn's `send` is a method of the object that holds the connection; nothing public leads there.
        scope["sandbox.transport"] = getattr(getattr(send, "__self__", None), "transport", None)
        await super().__call__(scope, receive, send)


def build(settings: SandboxSettings) -> Starlette:
    """Assemble the application. `app.state.control` holds the stand-ins, `app.state.closing` ends waits."""
    records, shelf, loopback = Records(settings.max_records), PictureCache(), Loopback(settings.reach)
    webhooks = Webhooks(loopback, in_flight=settings.webhooks_in_flight, timeout=settings.webhook_timeout)
    closing = asyncio.Event()
    context = SandboxContext(settings, records, shelf, webhooks, closing)
    iacrea, homedesigns = Iacrea(context, loopback), HomeDesigns(context)
    clips = Clips(shelf, render=settings.render_clips)
    evidence = Evidence({"iacrea": iacrea, "homedesigns": homedesigns}, records)
    control = Control(evidence.standins, evidence, webhooks)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        closing.set()
        await webhooks.close()
        clips.close()

    async def clip(request: Request) -> Response:
        submission = records.marked(request.path_params["marker"])
        if submission is None:
            return JSONResponse({"error": "no such clip"}, 404)
        return FileResponse(await clips.clip(submission), media_type="video/mp4", headers=WATCHABLE)

    async def picture(request: Request) -> Response:
        submission = records.marked(request.path_params["marker"])
        found = shelf.get(submission.picture_sha256) if submission else None
        if found is None:
            return JSONResponse({"error": "no such picture"}, 404)
        return Response(found, media_type="image/png", headers=WATCHABLE)

    routes = [
        Route("/api/animation/v2/get", iacrea.check, methods=["POST"]),
        Route("/api/animation/v2/generate", iacrea.submit, methods=["POST"]),
        Route("/api/v2/video_generation/status_check/{id:path}", homedesigns.check, methods=["GET"]),
        Route("/api/v2/video_generation", homedesigns.submit, methods=["POST"]),
        Route("/api/account/credit", iacrea.account, methods=["POST"]),
        Route("/api/v2/user_info", homedesigns.account, methods=["GET"]),
        Route("/clips/{marker}.mp4", clip, methods=["GET"]),
        Route("/pictures/{marker}.png", picture, methods=["GET"]),
        *evidence.routes(),
        *control.routes(),
    ]
    app = Sandbox(routes=routes, lifespan=lifespan)
    app.state.control, app.state.closing, app.state.settings = control, closing, settings
    return app
