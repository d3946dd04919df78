"""Entity tags (RFC 9110): a caller that has a document already is told so instead of being sent it again."""

import hashlib
import re

from starlette.requests import Request
from starlette.responses import Response

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e]*")')


def tagged(request: Request, body: str, headers: dict[str, str] | None = None) -> Response:
    """Answer with a JSON document and its tag, or with 304 where `If-None-Match` names that tag."""
    tag = etag_of(body)
    shown = {"etag": tag, **(headers or {})}
    if names(request, tag):
        return Response(status_code=304, headers=shown)
    return Response(body, headers=shown, media_type="application/json")


def etag_of(body: str) -> str:
    """Make the tag of a document."""
    return f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'


def names(request: Request, tag: str) -> bool:
    """Say whether `If-None-Match` names a tag, or every tag by `*`."""
    given = ",".join(request.headers.getlist("if-none-match"))[:8000]
    return given.strip() == "*" or tag in _TAG.findall(given)
