"""The floor: uvicorn and Starlette, one process, read and parse a JSON POST, and answer."""

import json
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def take(request: Request) -> Response:
    """Read and parse the body."""
    json.loads(await request.body())
    return Response(b"{}", media_type="application/json")


def serve(app: object, port: int) -> None:
    """Serve an application the way every peer is served."""
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)  # type: ignore[arg-type]  # any ASGI application


if __name__ == "__main__":
    serve(Starlette(routes=[Route("/", take, methods=["POST"])]), int(sys.argv[1]))
