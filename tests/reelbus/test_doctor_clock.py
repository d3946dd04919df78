"""The doctor sets this machine's clock against a provider's."""

import pytest

from providers.http.responses import seconds_ahead
from providers.http.seen import SeenAnswer
from reelbus.doctor_providers import _clock
from schemas.names import Provider

IACREA = Provider("iacrea")
NOON = 1_795_262_400.0


def test_a_date_is_read_as_seconds_ahead_of_now() -> None:
    assert seconds_ahead("Sat, 21 Nov 2026 12:01:30 GMT", NOON) == 90
    assert seconds_ahead("Sat, 21 Nov 2026 11:59:30 GMT", NOON) == -30


@pytest.mark.parametrize("date", [None, "", "soon", "Sat, 99 Nov 2026 12:00:00 GMT", "9" * 5000])
def test_nonsense_says_nothing(date: str | None) -> None:
    assert seconds_ahead(date, NOON) is None


@pytest.mark.parametrize(("ahead", "words"), [(95.0, "95 s ahead of"), (-40.0, "40 s behind")])
def test_a_clock_that_is_off_is_warned_about(ahead: float, words: str) -> None:
    [finding] = _clock(IACREA, [SeenAnswer(200, "", b""), SeenAnswer(200, "", b"", ahead)])
    assert (finding.verdict, words in finding.detail, "NTP" in finding.mend) == ("warn", True, True)


@pytest.mark.parametrize("ahead", [None, 0.4, -20.0])
def test_a_clock_that_agrees_or_is_unknown_is_no_matter(ahead: float | None) -> None:
    assert list(_clock(IACREA, [SeenAnswer(200, "", b"", ahead)])) == []
