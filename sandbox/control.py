"""The control routes under `/sandbox`: what tests set, and what they read back."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.evidence import BadControl, Evidence, explained
from sandbox.faults import ALIASES, FAULTS, fault_named
from sandbox.plans import Choice, On
from sandbox.settings import PROVIDERS, Provider
from sandbox.standin import StandIn
from sandbox.webhooks import Webhooks

Door = Callable[[Provider, Literal["open", "shut"]], Awaitable[None]]


@dataclass(slots=True)
class Control:
    """Everything that the control routes set and show."""

    standins: Mapping[Provider, StandIn]
    evidence: Evidence
    webhooks: Webhooks
    door: Door | None = None
    """Opens or closes a provider's own port, where it has one."""

    def routes(self) -> list[Route]:
        """List the routes."""
        get = {
            "/sandbox/health": self.health,
            "/sandbox/behaviours": self.behaviours,
            "/sandbox/plan": self.plans,
            "/sandbox/outage": self.outages,
            "/sandbox/webhooks": self.held_webhooks,
        }
        change = [
            ("POST", "/sandbox/behaviours", self.weigh),
            ("POST", "/sandbox/plan", self.plan),
            ("DELETE", "/sandbox/plan", self.unplan),
            ("POST", "/sandbox/outage", self.outage),
            ("POST", "/sandbox/webhooks", self.hold_webhooks),
            ("POST", "/sandbox/credits", self.credits),
            ("DELETE", "/sandbox/records", self.forget),
            ("POST", "/sandbox/reset", self.reset),
        ]
        return [Route(path, explained(done), methods=["GET"]) for path, done in get.items()] + [
            Route(path, explained(done), methods=[method]) for method, path, done in change
        ]

    async def health(self, _request: Request) -> Response:
        """Say that the stand-ins listen."""
        return JSONResponse({"status": "ok"})

    async def behaviours(self, _request: Request) -> Response:
        """List every behaviour and fault with a line about each."""
        answer: dict[str, object] = {
            provider: {each.name: each.says for each in standin.behaviours.values()}
            for provider, standin in self.standins.items()
        }
        answer["check"] = {each.name: each.says for each in FAULTS.values()}
        answer["short_names"] = ALIASES
        answer["weights"] = {provider: standin.plans.weights for provider, standin in self.standins.items()}
        return JSONResponse(answer)

    async def weigh(self, request: Request) -> Response:
        """Set what is drawn from when nothing else is chosen, and how long a video takes."""
        body = await _body(request, {"provider", "weights", "seed", "render_seconds"})
        standin = self.standins[_provider(body)]
        weights, seed = body.get("weights"), body.get("seed", 1)
        if "render_seconds" in body:
            standin.render_seconds = _seconds(body, "render_seconds") or 0.0
        if weights is not None:
            if not isinstance(weights, dict) or not all(_is_number(each) for each in weights.values()):
                raise BadControl("weights: give an object of behaviour names and numbers")
            if not isinstance(seed, int):
                raise BadControl("seed: give a whole number")
            try:
                standin.plans.weigh(weights, seed)
            except ValueError as error:
                raise BadControl(str(error)) from error
        return JSONResponse({"weights": standin.plans.weights, "render_seconds": standin.render_seconds})

    async def plans(self, _request: Request) -> Response:
        """Show what is still queued."""
        return JSONResponse({provider: standin.plans.left() for provider, standin in self.standins.items()})

    async def plan(self, request: Request) -> Response:
        """Queue what the next requests meet: one request for each entry and count."""
        known = {"provider", "behaviour", "behaviours", "count", "on", "seconds", "render_seconds"}
        body = await _body(request, known)
        standin = self.standins[_provider(body)]
        on, count = _on(body), body.get("count", 1)
        if not isinstance(count, int) or not 1 <= count <= 1_000_000:
            raise BadControl("count: give a whole number from 1")
        names = body.get("behaviour", body.get("behaviours"))
        listed = names if isinstance(names, list) else [names]
        seconds, render = _seconds(body, "seconds"), _seconds(body, "render_seconds")
        choices = [Choice(_named(standin, on, name), "plan", seconds, render) for name in listed]
        if not choices:
            raise BadControl("behaviour: the list is empty")
        standin.plans.queue(on, choices, count)
        return JSONResponse(standin.plans.left())

    async def unplan(self, _request: Request) -> Response:
        """Forget what is queued."""
        for standin in self.standins.values():
            standin.plans.clear()
        return JSONResponse({})

    async def outages(self, _request: Request) -> Response:
        """Show who is out, and how."""
        return JSONResponse({provider: standin.plans.outage for provider, standin in self.standins.items()})

    async def outage(self, request: Request) -> Response:
        """Apply one fault to every request to a provider, until it is lifted with null."""
        body = await _body(request, {"provider", "mode"})
        provider, mode = _provider(body), body.get("mode")
        fault = fault_named(mode) if isinstance(mode, str) else None
        if mode is not None and (fault is None or fault.spoils):
            raise BadControl('mode: give "503", "refuse", "hang", "401", the name of a fault, or null')
        self.standins[provider].plans.outage = None if mode is None else str(mode)
        if self.door is not None:
            await self.door(provider, "shut" if mode == "refuse" else "open")
        return await self.outages(request)

    async def held_webhooks(self, _request: Request) -> Response:
        """Show to which addresses no webhooks are sent."""
        return JSONResponse({"held": self.webhooks.held})

    async def hold_webhooks(self, request: Request) -> Response:
        """Keep the webhooks to addresses that begin with `to`, or send what was kept."""
        body = await _body(request, {"to", "held"})
        to, held = body.get("to"), body.get("held")
        if not isinstance(to, str) or not to:
            raise BadControl("to: give the beginning of the webhooks' addresses, such as http://127.0.0.1:8080/")
        if not isinstance(held, bool):
            raise BadControl("held: give true to keep them or false to send them")
        (self.webhooks.hold if held else self.webhooks.release)(to)
        return await self.held_webhooks(request)

    async def credits(self, request: Request) -> Response:
        """Set what an account holds."""
        body = await _body(request, {"provider", "remaining"})
        remaining = body.get("remaining")
        if not isinstance(remaining, int) or remaining < 0:
            raise BadControl("remaining: give a whole number from 0")
        self.standins[_provider(body)].credits = remaining
        return JSONResponse({provider: standin.credits for provider, standin in self.standins.items()})

    async def forget(self, _request: Request) -> Response:
        """Forget every submission and video, and fill the accounts again."""
        self.evidence.records.clear()
        self.evidence.redirects_followed.clear()
        for standin in self.standins.values():
            standin.credits = standin.settings.credits
        return JSONResponse({})

    async def reset(self, request: Request) -> Response:
        """Be as at the start: records, plans, weights, times, outages and webhooks that were held."""
        for provider, standin in self.standins.items():
            settings = standin.settings
            standin.plans.clear()
            standin.plans.outage = None
            standin.plans.weigh({settings.behaviour(provider): 1.0}, settings.seed)
            standin.render_seconds = settings.seconds_to_render(provider)
            if self.door is not None:
                await self.door(provider, "open")
        for address in self.webhooks.held:
            self.webhooks.release(address)
        return await self.forget(request)


async def _body(request: Request, known: set[str]) -> dict[str, object]:
    try:
        body = await request.json()
    except ValueError as error:
        raise BadControl("the body must be JSON") from error
    if not isinstance(body, dict):
        raise BadControl("the body must be a JSON object")
    if unknown := sorted(body.keys() - known):
        raise BadControl(f"{unknown[0]}: there is no such field; known are {', '.join(sorted(known))}")
    return body


def _provider(body: Mapping[str, object]) -> Provider:
    for provider in PROVIDERS:
        if body.get("provider") == provider:
            return provider
    raise BadControl(f"provider: give one of {', '.join(PROVIDERS)}")


def _on(body: Mapping[str, object]) -> On:
    kinds: tuple[On, ...] = get_args(On)
    for kind in kinds:
        if body.get("on", "submit") == kind:
            return kind
    raise BadControl(f"on: give one of {', '.join(kinds)}")


def _named(standin: StandIn, on: On, name: object) -> str:
    if not isinstance(name, str) or not (name in standin.behaviours if on == "submit" else fault_named(name)):
        raise BadControl(f"behaviour: there is no {name!r} for {on}; see GET /sandbox/behaviours")
    return name


def _seconds(body: Mapping[str, object], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        raise BadControl(f"{name}: give a number of seconds from 0")
    return float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
