"""The route of the audit log."""

import re

from starlette.requests import Request
from starlette.responses import Response

from intake.context import Context
from jobs import audit
from schemas.problem import FieldFault, ProblemCode, Refusal

_DEFAULT_PAGE, _LARGEST_PAGE = 50, 200
_QUERY = ("limit", "cursor")


class AuditLog:
    """`GET /v1/audit`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def list(self, request: Request) -> Response:
        """Show who did what, newest first."""
        limit, cursor = page_query(request)
        page = await self._context.store.read(audit.page, cursor=cursor, limit=limit)
        return Response(page.model_dump_json(), media_type="application/json")


def page_query(request: Request) -> tuple[int, str | None]:
    """Read the query. Raises `Refusal` with every fault at once."""
    query = request.query_params
    faults = [
        FieldFault(field=name[:200], message=f"is not a query parameter here; those are {', '.join(_QUERY)}")
        for name in dict.fromkeys(query)
        if name not in _QUERY
    ]
    faults += [FieldFault(field=name, message="must be given once") for name in _QUERY if len(query.getlist(name)) > 1]
    cursor, limit = query.get("cursor"), query.get("limit", str(_DEFAULT_PAGE))
    if cursor is not None and not re.fullmatch("[0-9]{1,18}", cursor, re.ASCII):
        faults.append(FieldFault(field="cursor", message="must be the next_cursor of an earlier page"))
    if not (re.fullmatch("[0-9]{1,3}", limit, re.ASCII) and 1 <= int(limit) <= _LARGEST_PAGE):
        faults.append(FieldFault(field="limit", message=f"must be a number from 1 to {_LARGEST_PAGE}"))
    if faults:
        detail = "; ".join(f"{fault.field} {fault.message}" for fault in faults[:5])
        raise Refusal(ProblemCode.INVALID_REQUEST, detail, errors=faults[:100])
    return int(limit), cursor
