"""Put the receiver together: which addresses there are on which surface."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from intake.context import Context
from receiver import documents, problems
from receiver.audit_log import AuditLog
from receiver.batches import Batches
from receiver.cancellations import Cancellations
from receiver.check_now import CheckNow
from receiver.dead_commands import DeadCommandRoutes
from receiver.deliveries import Deliveries
from receiver.drift import DriftRoutes
from receiver.guard import Guard
from receiver.health import Health
from receiver.media import Media
from receiver.middleware import RequestMiddleware
from receiver.one_video import OneVideo
from receiver.providers import Providers
from receiver.sessions import Sessions
from receiver.settings_page import SettingsPage
from receiver.sse import Events
from receiver.subscriptions import SubscriptionRoutes
from receiver.videos import Videos
from receiver.webhooks import Webhooks

Endpoint = Callable[[Request], Awaitable[Response]]


def build(context: Context) -> ASGIApp:
    """Build the ASGI application for the surface that the settings name."""
    surface = context.settings.surface
    health = Health(context)
    routes = [*_api(context, health), *_documents(context)] if surface in {"all", "private"} else []
    routes += [_route("/healthz", GET=health.alive), _route("/readyz", GET=health.ready)]
    if surface in {"all", "public"}:
        routes.append(_route("/media/{token}", GET=Media(context).picture))
    # A redirect to or from a trailing slash would repeat the host that the caller named.
    router = Router(routes, redirect_slashes=False, default=_not_found)
    webhooks = None if surface == "private" else Webhooks(context)
    return RequestMiddleware(context, webhooks, None if surface == "public" else Guard(context), router)


def build_health(context: Context) -> ASGIApp:
    """Build the ASGI application of the internal port, which serves nothing but health and metrics."""
    health = Health(context, internal=True)
    routes = [
        _route("/healthz", GET=health.alive),
        _route("/readyz", GET=health.ready),
        _route("/metrics", GET=health.metrics),
    ]
    return RequestMiddleware(context, None, None, Router(routes, redirect_slashes=False, default=_not_found))


def _api(context: Context, health: Health) -> list[BaseRoute]:
    videos, one, providers = Videos(context), OneVideo(context), Providers(context)
    dead, deliveries = DeadCommandRoutes(context), Deliveries(context)
    return [
        _route("/v1/videos", GET=videos.list, POST=videos.create),
        _route("/v1/videos/batch", POST=Batches(context).create),
        _route("/v1/videos/{id}", GET=one.show, DELETE=one.erase),
        _route("/v1/videos/{id}/timeline", GET=videos.timeline),
        _route("/v1/videos/{id}/events", GET=videos.events),
        _route("/v1/videos/{id}/redeliver", POST=videos.redeliver),
        _route("/v1/videos/{id}/retry", POST=videos.retry),
        _route("/v1/videos/{id}/check", POST=CheckNow(context).check),
        _route("/v1/videos/{id}/cancel", POST=Cancellations(context).cancel),
        _route("/v1/drift", GET=DriftRoutes(context).list),
        _route("/v1/providers", GET=providers.list),
        _route("/v1/providers/{name}/pause", POST=providers.pause),
        _route("/v1/providers/{name}/resume", POST=providers.resume),
        _route("/v1/events", GET=Events(context).listen),
        _route("/v1/credits", GET=videos.credits),
        _route("/v1/audit", GET=AuditLog(context).list),
        _route("/v1/status", GET=health.status),
        _route("/v1/subscriptions", GET=SubscriptionRoutes(context).list),
        _route("/v1/webhooks", GET=deliveries.list),
        _route("/v1/webhooks/refused", GET=deliveries.refused),
        _route("/v1/settings", GET=SettingsPage(context).show),
        _route("/v1/dead-commands", GET=dead.list),
        _route("/v1/dead-commands/{id}", DELETE=dead.drop),
        _route("/v1/dead-commands/{id}/requeue", POST=dead.requeue),
        _route("/metrics", GET=health.metrics),
    ]


def _documents(context: Context) -> list[BaseRoute]:
    sessions = Sessions(context)
    return [
        _route("/openapi.json", GET=documents.openapi_document),
        _route("/asyncapi.json", GET=documents.asyncapi_document),
        _route("/schemas/{name}", GET=documents.schema),
        _route("/llms.txt", GET=documents.llms),
        _route("/docs", GET=documents.docs),
        _route("/docs/events", GET=documents.docs_of_events),
        _route("/docs/problems", GET=documents.docs_of_problems),
        _route("/docs/assets/{name}", GET=documents.asset),
        _route("/console", GET=documents.console),
        _route("/console/session", GET=sessions.show, POST=sessions.begin, DELETE=sessions.end),
        _route("/console/{page:path}", GET=documents.console),
    ]


def _route(path: str, **endpoints: Endpoint) -> BaseRoute:
    return Route(path, _Endpoint(endpoints))


class _Endpoint:
    """One address and its methods; an ASGI application, so that a wrong method is told in a problem document."""

    def __init__(self, endpoints: dict[str, Endpoint]) -> None:
        self._endpoints = endpoints
        if "GET" in endpoints:
            self._endpoints["HEAD"] = endpoints["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoints.get(scope["method"])
        if endpoint is None:
            response = problems.method_not_allowed(", ".join(self._endpoints))
        else:
            response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await problems.not_found()(scope, receive, send)
