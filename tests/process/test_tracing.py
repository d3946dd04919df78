"""Traces cost nothing while they are off, and say what is missing when they cannot be exported."""

import subprocess
import sys
from pathlib import Path

import pytest

from process import tracing
from process.environment import WrongSettings
from process.tracing import SpanKind
from schemas.trace import NO_TRACE, Trace

ROOT = Path(__file__).parents[2]
GIVEN = Trace("00-" + "a" * 32 + "-" + "b" * 16 + "-01", "k=v")


@pytest.fixture(autouse=True)
def without_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tracing.ENDPOINTS:
        monkeypatch.delenv(name, raising=False)


def test_while_they_are_off_a_trace_passes_through_untouched() -> None:
    tracing.set_up(["receiver"])
    assert not tracing.is_on()
    for trace in (GIVEN, NO_TRACE):
        with tracing.span("accept video", trace, SpanKind.SERVER, reelbus_provider="iacrea") as inner:
            assert inner is trace
    tracing.record("send", GIVEN, SpanKind.PRODUCER, began=1.0, ended=2.0)
    tracing.close()


def test_while_they_are_off_nothing_of_opentelemetry_is_imported() -> None:
    program = (
        "import sys\n"
        "from process.settings import Settings\n"
        "from reelbus.roles import Role, starts\n"
        "starts(Settings(), list(Role))\n"
        "from process import tracing\n"
        "tracing.set_up(['receiver'])\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'opentelemetry'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, text=True, capture_output=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_endpoint_without_opentelemetry_is_refused_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "process.trace_exporter", raising=False)
    with pytest.raises(WrongSettings, match=r"install reelbus\[otel\]"):
        tracing.set_up(["receiver"])
    assert not tracing.is_on()
