"""What checkers read under `/sandbox/records`: every submission, every video, and their sums."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox.records import Records
from sandbox.settings import PROVIDERS, Provider
from sandbox.standin import StandIn

PIECE = 500


class BadControl(Exception):
    """A control request that makes no sense; the text names the field and the mend."""


def explained(
    done: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Answer 400 with an explanation where a control request makes no sense."""

    async def endpoint(request: Request) -> Response:
        try:
            return await done(request)
        except BadControl as error:
            return JSONResponse({"error": str(error)}, 400)

    return endpoint


@dataclass(slots=True)
class Evidence:
    """The records, and who followed a redirect that nobody should follow."""

    standins: Mapping[Provider, StandIn]
    records: Records
    redirects_followed: list[dict[str, object]] = field(default_factory=list)

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route("/sandbox/records", explained(self.listing), methods=["GET"]),
            Route("/sandbox/records/summary", explained(self.summary), methods=["GET"]),
            Route("/sandbox/records/{id}", explained(self.one), methods=["GET"]),
            Route("/elsewhere/{provider}", self.elsewhere, methods=["GET", "POST"]),
        ]

    async def listing(self, request: Request) -> Response:
        """Show every submission in the order of arrival; `offset` and `limit` page through them."""
        query = request.query_params
        try:
            offset = int(query.get("offset", 0))
            limit = int(query["limit"]) if "limit" in query else None
        except ValueError as error:
            raise BadControl("offset, limit: give whole numbers") from error
        if offset < 0 or (limit or 0) < 0:
            raise BadControl("offset, limit: must not be negative")
        return StreamingResponse(self._pieces(offset, limit), media_type="application/json")

    async def one(self, request: Request) -> Response:
        """Show one submission by its job id or its marker."""
        wanted = request.path_params["id"]
        found = self.records.marked(wanted)
        for provider in PROVIDERS:
            found = found or self.records.job(provider, wanted)
        if found is None:
            return JSONResponse({"error": "no such job or marker"}, 404)
        return JSONResponse(found.document())

    async def summary(self, _request: Request) -> Response:
        """Show counts for each provider, and what was submitted twice."""
        answer: dict[str, object] = {
            provider: self.records.summary(provider) | {"credits": standin.credits}
            for provider, standin in self.standins.items()
        }
        answer["redirects_followed"] = self.redirects_followed
        answer["forgotten"] = self.records.forgotten
        return JSONResponse(answer)

    async def elsewhere(self, request: Request) -> Response:
        """Note that somebody followed a redirect, and which credentials came along."""
        headers = [name for name in ("authorization", "x-api-key") if name in request.headers]
        if len(self.redirects_followed) < PIECE:
            followed = {"provider": request.path_params["provider"], "credentials": headers}
            self.redirects_followed.append(followed)
        return JSONResponse({"error": "nobody should have followed"}, 404)

    async def _pieces(self, offset: int, limit: int | None) -> AsyncIterator[str]:
        """Write the list in pieces, so that a long one does not hold up other requests."""
        chosen = list(self.records.some(offset, limit))
        yield f'{{"total": {len(self.records)}, "records": ['
        for at in range(0, len(chosen), PIECE):
            piece = json.dumps([each.document() for each in chosen[at : at + PIECE]])
            yield ("," if at else "") + piece[1:-1]
        yield "]}"
