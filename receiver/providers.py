"""The providers for operators: how each is doing, and letting one rest for a while."""

from starlette.requests import Request
from starlette.responses import Response

from intake.auditing import log_action
from intake.context import Context
from jobs import pausing, provider_details, provider_states
from providers.registry import PROVIDERS
from schemas.audit import AuditAction
from schemas.names import Provider
from schemas.problem import ProblemCode, Refusal
from schemas.status import CancelPromise, NamedProvider, ProviderList
from schemas.video import Document
from store.transaction import Signal, Tx


class Providers:
    """The routes under `/v1/providers`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def list(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint is given one
        """Show every provider."""
        return _document(await self._context.store.read(self._all, now=self._context.now()))

    async def pause(self, request: Request) -> Response:
        """Give a provider no new work until it is resumed. What it has in hand is still looked at."""
        provider, caller = _provider(request), request.scope["reelbus.caller"]
        shown, changed = await self._context.write(self._paused, provider, caller, now=self._context.now())
        if changed:
            log_action(AuditAction.PAUSED, actor=caller, subject=provider)
        return _document(shown)

    async def resume(self, request: Request) -> Response:
        """Give a provider work again."""
        provider, caller = _provider(request), request.scope["reelbus.caller"]
        self._context.store.notify(Signal.ACCEPTED)
        shown, changed = await self._context.write(self._resumed, provider, caller, now=self._context.now())
        if changed:
            log_action(AuditAction.RESUMED, actor=caller, subject=provider)
        return _document(shown)

    def _paused(self, tx: Tx, provider: Provider, caller: str, *, now: float) -> tuple[NamedProvider, bool]:
        changed = pausing.pause(tx, provider, caller=caller, now=now)
        return self._shown(tx, provider, now), changed

    def _resumed(self, tx: Tx, provider: Provider, caller: str, *, now: float) -> tuple[NamedProvider, bool]:
        changed = pausing.resume(tx, provider, caller=caller, now=now)
        return self._shown(tx, provider, now), changed

    def _all(self, tx: Tx, *, now: float) -> ProviderList:
        return ProviderList(items=[self._shown(tx, provider, now) for provider in PROVIDERS])

    def _shown(self, tx: Tx, provider: Provider, now: float) -> NamedProvider:
        settings = self._context.settings
        own = settings.submission_rates.get(provider)
        state = provider_states.of_one(tx, provider, settings.enabled_providers, now=now)
        return NamedProvider(
            name=provider,
            motions={motion: offer.form for motion, offer in PROVIDERS[provider].motions.items()},
            cancel=CancelPromise(PROVIDERS[provider].cancel.name.lower()),
            refund_evidence=PROVIDERS[provider].refund_evidence,
            budget=provider_details.budget_of(tx, provider, rate=settings.rate(provider), now=now),
            submission_budget=None
            if own is None
            else provider_details.budget_of(tx, provider, rate=own, now=now, apart=True),
            answer_times=provider_details.answer_times(tx, provider),
            durations=provider_details.learnt(tx, provider),
            **dict(state),
        )


def _provider(request: Request) -> Provider:
    name = Provider(request.path_params["name"])
    if name not in PROVIDERS:
        known = ", ".join(PROVIDERS)
        raise Refusal(ProblemCode.NOT_FOUND, f"there is no provider of this name; there are {known}")
    return name


def _document(shown: Document) -> Response:
    return Response(shown.model_dump_json(), media_type="application/json")
