"""Operators see how each provider is doing, and can let one rest; that outlives every process."""

from pathlib import Path

from jobs.assignment import route
from jobs.durations import Plan
from jobs.policy import Policy
from schemas.names import Provider
from store import attempts, circuits, durations, providers
from store.attempts import AttemptState
from store.circuits import CircuitRow
from store.transaction import Tx
from tests.support.receiver import Receiver, serving

NOW = 1_800_000_000.0


async def state_of(service: Receiver, name: str) -> dict[str, object]:
    items = (await service.http.get("/v1/providers")).json()["items"]
    [item] = [item for item in items if item["name"] == name]
    status = (await service.http.get("/v1/status")).json()["providers"][name]
    found: dict[str, object] = item
    own = {"name", "motions", "cancel", "refund_evidence", "budget", "submission_budget", "answer_times", "durations"}
    assert {field: found[field] for field in found if field not in own} == status
    return found


async def test_a_provider_that_is_well_is_ready(service: Receiver) -> None:
    state = await state_of(service, "iacrea")
    assert (state["state"], state["enabled"], state["authorized"], state["paused"]) == ("ready", True, True, False)
    assert state["circuit"] == {"state": "closed", "since": None, "reason": None, "probe_at": None}


async def test_a_paused_provider_is_shown_so_until_it_is_resumed_whatever_restarts(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        paused = await service.http.post("/v1/providers/iacrea/pause")
        assert (paused.status_code, paused.json()["state"]) == (200, "paused")
        assert (await service.http.post("/v1/providers/iacrea/pause")).json() == paused.json()
    async with serving(tmp_path) as service:
        state = await state_of(service, "iacrea")
        assert (state["state"], state["paused"], state["paused_by"]) == ("paused", True, ":local")
        assert 'reelbus_provider_paused{provider="iacrea"} 1.0' in (await service.http.get("/metrics")).text

        resumed = await service.http.post("/v1/providers/iacrea/resume")
        assert (resumed.status_code, resumed.json()["state"]) == (200, "ready")
        assert (await state_of(service, "iacrea"))["paused_since"] is None


async def test_there_is_no_provider_of_another_name(service: Receiver) -> None:
    for path in ("/v1/providers/nobody/pause", "/v1/providers/nobody/resume"):
        answer = await service.http.post(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await service.http.get("/v1/providers/iacrea/pause")).status_code == 405


async def test_a_provider_that_is_away_is_shown_with_since_when_and_why(service: Receiver) -> None:
    now = service.context.now()
    row = CircuitRow(failures=5, reason="connection refused", opened_at=now - 60, probe_at=now + 30)
    await service.store.write(circuits.put, Provider("iacrea"), row)
    state = await state_of(service, "iacrea")
    assert state["state"] == "away"
    circuit = state["circuit"]
    assert isinstance(circuit, dict)
    assert (circuit["state"], circuit["reason"]) == ("open", "connection refused")
    assert circuit["since"] < circuit["probe_at"]
    shown = (await service.http.get("/metrics")).text
    assert 'reelbus_provider_circuit{provider="iacrea",state="open"} 1.0' in shown
    assert 'reelbus_provider_circuit{provider="iacrea",state="closed"} 0.0' in shown

    await service.store.write(circuits.put, Provider("iacrea"), row._replace(probe_at=now - 1))
    assert (await state_of(service, "iacrea"))["state"] == "testing"


async def test_a_provider_that_refuses_our_key_is_shown_as_such(service: Receiver) -> None:
    await service.store.write(providers.set_tokens, Provider("iacrea"), tokens=1.0, now=NOW)
    await service.store.write(providers.set_authorized, Provider("iacrea"), authorized=False, now=NOW)
    assert (await state_of(service, "iacrea"))["state"] == "refusing"


async def test_a_provider_that_finds_our_account_empty_is_shown_as_such(service: Receiver) -> None:
    await service.store.write(providers.set_tokens, Provider("iacrea"), tokens=1.0, now=NOW)
    await service.store.write(providers.set_solvent, Provider("iacrea"), solvent=False, now=NOW)
    assert (await state_of(service, "iacrea"))["state"] == "out_of_credits"
    assert 'reelbus_provider_out_of_credits{provider="iacrea"} 1.0' in (await service.http.get("/metrics")).text


async def test_one_without_credentials_is_off(tmp_path: Path) -> None:
    async with serving(tmp_path, homedesigns_token=None) as service:
        assert (await state_of(service, "homedesigns"))["state"] == "off"


async def test_the_motions_of_a_provider_say_how_each_is_asked_for(service: Receiver) -> None:
    motions = (await state_of(service, "homedesigns"))["motions"]
    assert isinstance(motions, dict)
    assert (motions["zoom_in"], motions["pan_left"]) == ("option", "approximate")
    assert "auto_reverse" not in motions


async def test_what_a_provider_promises_of_stopping_a_job_is_shown(service: Receiver) -> None:
    items = {item["name"]: item for item in (await service.http.get("/v1/providers")).json()["items"]}
    assert [items[name]["cancel"] for name in ("iacrea", "fal", "replicate")] == ["none", "wish", "certain"]
    assert "for the time it ran" in items["replicate"]["refund_evidence"]


async def test_the_budget_and_the_learnt_durations_of_a_provider_are_shown(service: Receiver) -> None:
    fresh = await state_of(service, "homedesigns")
    assert fresh["durations"] == []
    budget = fresh["budget"]
    assert isinstance(budget, dict)
    assert budget["left"] == budget["burst"] >= 1
    assert budget["a_minute"] == service.context.settings.rate(Provider("homedesigns")) * 60
    plan = Plan()
    for second in range(10, 70):
        plan = plan.seen(second, second + 1)

    def use(tx: Tx) -> None:
        durations.save(tx, Provider("homedesigns"), plan.dumps(), completions=60)
        providers.set_tokens(tx, Provider("homedesigns"), tokens=-100.0, now=service.context.now())

    await service.store.write(use)
    used = await state_of(service, "homedesigns")
    curve = used["durations"]
    assert isinstance(curve, list)
    shares, seconds = [point["share"] for point in curve], [point["seconds"] for point in curve]
    assert (shares, seconds) == (sorted(shares), sorted(seconds))
    median = seconds[shares.index(0.5)]
    assert 35 < median < 50, "newer ends count more"
    spent = used["budget"]
    assert isinstance(spent, dict)
    assert spent["left"] < 0


async def test_a_budget_of_submissions_apart_is_shown_beside_the_other(service: Receiver) -> None:
    await service.store.write(providers.set_submission_tokens, Provider("replicate"), tokens=0.0, now=2e9)
    shown = await state_of(service, "replicate")
    assert shown["submission_budget"] == {"left": 0.0, "burst": 50.0, "a_minute": 300.0}
    assert shown["budget"] == {"left": 250.0, "burst": 250.0, "a_minute": 1500.0}
    assert (await state_of(service, "iacrea"))["submission_budget"] is None


async def test_how_soon_a_provider_answers_is_told_from_its_newest_submissions(service: Receiver) -> None:
    assert (await state_of(service, "iacrea"))["answer_times"] is None
    now = service.context.now()
    made = [await service.make(provider="iacrea") for _ in range(11)]

    def answer(tx: Tx) -> None:
        for _ in made:
            route(tx, Policy(), now=now)
        for tenths, [attempt] in enumerate(attempts.of_videos(tx, made).values()):
            times = {"submitted_at": now, "accepted_at": now + tenths / 10}
            attempts.change(tx, attempt.id, AttemptState.GENERATING, times, from_states=set(AttemptState))

    await service.store.write(answer)
    assert (await state_of(service, "iacrea"))["answer_times"] == {
        "submissions": 11,
        "median": 0.5,
        "nine_in_ten": 0.9,
    }
