"""Make a failed video again, as a new one."""

from starlette.requests import Request
from starlette.responses import Response

from intake import accept as accepting
from intake.auditing import log_action
from intake.context import Context
from intake.parsing import read_json
from jobs import retry
from jobs.accept import BudgetExhausted
from jobs.retry import Asker
from process import metrics
from receiver import problems
from receiver.bodies import read_body
from receiver.keyring import Identity
from schemas.audit import AuditAction
from schemas.problem import FieldFault, ProblemCode, Refusal
from store.transaction import Signal

_LARGEST_BODY = 1024


class Retries:
    """The route `/v1/videos/{id}/retry`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def retry(self, request: Request, video_id: str) -> Response:
        """Make a failed video anew: 202; or 200 with the one that was made of it and has not failed."""
        context, caller = self._context, request.scope["reelbus.caller"]
        asker = Asker(caller, _budget(request), accepts_risk=await self._accepts_risk(request))
        enabled = context.settings.enabled_providers
        context.store.notify(Signal.ACCEPTED)
        made = await context.write(retry.retry, enabled, video_id, asker, context.addresses.picture, now=context.now())
        if made is None:
            return problems.not_found()
        if isinstance(made, BudgetExhausted):
            raise accepting.budget_exhausted(caller, asker.budget, now=context.now())
        if made.created:
            log_action(AuditAction.RETRIED, actor=caller, subject=made.video.id, detail=f"for {video_id}")
            metrics.videos_accepted.labels("retry", caller).inc()
        headers = {"location": f"/v1/videos/{made.video.id}"}
        return Response(made.video.model_dump_json(), 202 if made.created else 200, headers, "application/json")

    async def _accepts_risk(self, request: Request) -> bool:
        """Read the body, which may be empty. Raises `Refusal`."""
        body = await read_body(request, self._context, request.scope["reelbus.caller"])
        try:
            if body.size > _LARGEST_BODY:
                detail = f"the body has more than {_LARGEST_BODY} bytes; it needs to say nothing but accept_risk"
                raise Refusal(ProblemCode.PAYLOAD_TOO_LARGE, detail)
            given = body.read()
        finally:
            body.close()
        return bool(given) and _understood(read_json(given))


def _budget(request: Request) -> int | None:
    identity: Identity | None = request.scope.get("reelbus.identity")
    return None if identity is None else identity.budget


def _understood(values: object) -> bool:
    if not isinstance(values, dict):
        raise Refusal(ProblemCode.INVALID_REQUEST, 'the body must be {"accept_risk": true}, or empty')
    faults = [
        FieldFault(field=str(name)[:200], message="is not a field here; the only one is accept_risk")
        for name in values
        if name != "accept_risk"
    ]
    accepts = values.get("accept_risk", False)
    if not isinstance(accepts, bool):
        faults.append(FieldFault(field="accept_risk", message="must be true or false"))
    if faults:
        detail = "; ".join(f"{fault.field} {fault.message}" for fault in faults[:5])
        raise Refusal(ProblemCode.INVALID_REQUEST, detail, errors=faults[:100])
    return accepts is True
