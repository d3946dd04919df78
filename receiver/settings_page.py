"""Show operators the settings of this process, and where each comes from; secrets are masked."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from intake.context import Context


class SettingsPage:
    """The route `/v1/settings`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def show(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint is given one
        """List every setting with its value, a secret's masked, and its source."""
        return JSONResponse({"items": list(self._context.shown_settings)})
