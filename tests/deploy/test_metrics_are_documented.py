"""Every metric is explained in docs/metrics.md, every one that is explained there exists, and labels stay bounded."""

import re
from pathlib import Path

from prometheus_client import generate_latest

from process import metrics
from tests.deploy.exposed import documented_names

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()


def test_the_page_explains_each_metric_once_and_nothing_else() -> None:
    explained = re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE)
    assert sorted(explained) == sorted(documented_names())


def test_no_series_tells_when_another_was_created() -> None:
    metrics.request_seconds.labels("/healthz").observe(0.1)
    assert "_created" not in generate_latest(metrics.REGISTRY).decode()


def test_no_label_can_hold_an_id_or_an_address() -> None:
    labels = {label for family in metrics.REGISTRY._names_to_collectors.values() for label in _labels(family)}
    assert labels <= {
        "answer", "caller", "detected_by", "transport", "error", "link", "method", "outcome", "provider", "python",
        "reason", "report", "request", "route", "signature", "state", "status", "step", "type", "version",
    }  # fmt: skip


def _labels(collector: object) -> tuple[str, ...]:
    return getattr(collector, "_labelnames", ())
