"""What keeps a provider from work is said in the same words by `status`, `providers` and `doctor`."""

from collections.abc import Callable

import pytest

from jobs import provider_states
from reelbus import providing
from reelbus.provider_faults import faults
from reelbus.status import status_text
from schemas.names import Provider
from store import circuits, pauses, providers
from store.circuits import CircuitRow
from store.transaction import Tx
from tests.support.stores import in_memory, transact

P = Provider("iacrea")
NOW = 1_000.0


def _refuses(tx: Tx) -> None:
    providers.set_authorized(tx, P, authorized=False, now=NOW)


def _has_no_credits(tx: Tx) -> None:
    providers.set_solvent(tx, P, solvent=False, now=NOW)


def _is_away(tx: Tx) -> None:
    circuits.put(tx, P, CircuitRow(failures=5, reason="it answered 503", opened_at=NOW, probe_at=NOW + 9))


def _throttles(tx: Tx) -> None:
    providers.pause(tx, P, until=NOW + 60)


def _is_paused(tx: Tx) -> None:
    pauses.begin(tx, P, caller=":local", now=NOW)


IN_ORDER: list[tuple[str, Callable[[Tx], None], str]] = [
    ("paused", _is_paused, "paused since 1970-01-01T00:16:40.000000Z by :local"),
    ("refusing", _refuses, "refuses our credentials since 1970-01-01T00:16:40.000000Z"),
    (
        "out_of_credits",
        _has_no_credits,
        "no credits are left; submissions are refused since 1970-01-01T00:16:40.000000Z",
    ),
    (
        "away",
        _is_away,
        "takes no submissions since 1970-01-01T00:16:40.000000Z: it answered 503; tested again at 1970-01-01",
    ),
    ("throttled", _throttles, "asked us to wait until 1970-01-01T00:17:40.000000Z"),
]


@pytest.mark.parametrize("first", range(len(IN_ORDER)), ids=[word for word, _, _ in IN_ORDER])
def test_the_first_reason_is_what_the_state_stands_for(first: int) -> None:
    """With it, every reason of a lower rank holds too."""
    connection = in_memory()
    transact(connection, providers.set_tokens, P, tokens=1.0, now=NOW)
    for _, befalls, _ in IN_ORDER[first:]:
        transact(connection, befalls)
    state = transact(connection, provider_states.of_one, P, [P], now=NOW).model_dump(mode="json")
    word, _, words = IN_ORDER[first]
    told = [fault.says for fault in faults(state)]
    assert state["state"] == word
    assert told[0].startswith(words)
    assert len(told) == len(IN_ORDER) - first


def test_every_printing_has_the_same_words(capsys: pytest.CaptureFixture[str]) -> None:
    connection = in_memory()
    transact(connection, _is_away)
    state = transact(connection, provider_states.of_one, P, [P], now=NOW).model_dump(mode="json")
    [fault] = faults(state)
    link = {"ready": True, "fault": None}
    outbox = {"unpublished": 0, "refused": 0}
    parts = {"store": link, "broker": link, "outbox": outbox, "commands": None, "open_videos": {}}
    assert f"iacrea       {fault.says}" in status_text({**parts, "providers": {"iacrea": state}}, colour=False)
    providing._print({"name": "iacrea", **state})
    assert capsys.readouterr().out == f"iacrea       away           {fault.says}\n"


def test_a_provider_without_credentials_has_no_reason_but_that() -> None:
    state = transact(in_memory(), provider_states.of_one, P, [], now=NOW).model_dump(mode="json")
    assert (state["state"], list(faults(state))) == ("off", [])
