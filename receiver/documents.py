"""The pages for people: the console, and the documentation. Nothing in them comes from elsewhere."""

import json
from functools import cache
from html import escape
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from documents import asyncapi, json_schemas, openapi
from documents.problem_help import EXPLANATIONS
from receiver import problems
from schemas.problem import status_of

_OURS = Path(__file__).parent / "pages"
_VIEWERS = Path(__file__).parent / "viewers"
"""Others' work, put there by setup/viewers/install.sh; in the wheel and the image, and perhaps not in a checkout."""

_OF_VIEWERS = frozenset({"swagger-ui-bundle.js", "swagger-ui.css", "redoc.standalone.js"})

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{style}; img-src {images}; connect-src 'self';"
    "{more} base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_CONSOLE = _POLICY.format(style="", images="'self' data: blob: http: https:", more=" media-src http: https:;")
# Both documentation viewers write style attributes into the page; redoc reads in a worker made from a blob.
_VIEWER = _POLICY.format(style=" 'unsafe-inline'", images="'self' data:", more=" font-src data:; worker-src blob:;")
_PLAIN = _POLICY.format(style="", images="'self' data:", more="")


async def console(request: Request) -> Response:  # noqa: ARG001 - every endpoint is given one
    """Show the console; which of its pages, its script reads from the address."""
    return _page("console.html", _CONSOLE)


async def docs(request: Request) -> Response:  # noqa: ARG001 - as above
    """Show the API's documentation, to read and to try."""
    return _page(_viewer("docs.html", needs="swagger-ui-bundle.js"), _VIEWER)


async def docs_of_events(request: Request) -> Response:  # noqa: ARG001 - as above
    """Show the documentation of events and commands."""
    return _page(_viewer("events.html", needs="redoc.standalone.js"), _VIEWER)


async def docs_of_problems(request: Request) -> Response:  # noqa: ARG001 - as above
    """Explain every problem code; the `type` of each problem document points here."""
    return _answer(_problems_page(), "text/html", _PLAIN)


async def llms(request: Request) -> Response:  # noqa: ARG001 - as above
    """Say in plain text, for language models, what there is and where."""
    return _answer((_OURS / "llms.txt").read_text(), "text/plain", _PLAIN)


async def asset(request: Request) -> Response:
    """Give a script or a style of one of the pages; whoever has it already is told so by its ETag."""
    name = request.path_params["name"]
    theirs = name in _OF_VIEWERS
    if name.endswith(".html"):
        return problems.not_found()
    try:
        files = StaticFiles(directory=_VIEWERS if theirs else _OURS, check_dir=False)
        answer = await files.get_response(name, request.scope)
    except HTTPException:
        return problems.not_found()
    answer.headers.update(_headers(_PLAIN))
    if theirs:
        answer.headers["cache-control"] = "max-age=86400"
    return answer


async def openapi_document(request: Request) -> Response:  # noqa: ARG001 - as above
    """Give the OpenAPI document."""
    return _json(_openapi())


async def asyncapi_document(request: Request) -> Response:  # noqa: ARG001 - as above
    """Give the AsyncAPI document."""
    return _json(_asyncapi())


async def schema(request: Request) -> Response:
    """Give one of the JSON Schemas."""
    found = _schemas().get(request.path_params["name"])
    return problems.not_found() if found is None else _json(found, "application/schema+json")


@cache
def _openapi() -> bytes:
    return json.dumps(openapi.openapi()).encode()


@cache
def _asyncapi() -> bytes:
    return json.dumps(asyncapi.asyncapi()).encode()


@cache
def _schemas() -> dict[str, bytes]:
    return {name: json.dumps(document).encode() for name, document in json_schemas.schema_files().items()}


def _json(document: bytes, media_type: str = "application/json") -> Response:
    headers = {"cache-control": "no-cache", "access-control-allow-origin": "*", "x-content-type-options": "nosniff"}
    return Response(document, headers=headers, media_type=media_type)


def _viewer(page: str, *, needs: str) -> str:
    """Name the page with the viewer, or the one that does without where the viewer is not installed."""
    return page if (_VIEWERS / needs).is_file() else "plain.html"


def _page(name: str, policy: str) -> Response:
    return _answer((_OURS / name).read_text(), "text/html", policy)


def _answer(text: str, media_type: str, policy: str) -> Response:
    return Response(text, headers=_headers(policy), media_type=media_type)


def _headers(policy: str) -> dict[str, str]:
    return {
        "cache-control": "no-cache",
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }


@cache
def _problems_page() -> str:
    explained = "\n".join(
        f'<section id="{code}"><h2><code>{code}</code> <small>{status_of(code)}</small></h2>'
        f"<p>{escape(text)}</p></section>"
        for code, text in EXPLANATIONS.items()
    )
    return (_OURS / "problems.html").read_text().replace("<!-- problems -->", explained)
