"""Alert rules, dashboard and documentation speak of metrics that exist, and the rules do what they say."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from setup.tools import locate
from tests.deploy.exposed import series_names

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
RULES = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((MONITORING / "grafana" / "reelbus.json").read_text())
METRIC = re.compile(r"\breelbus_[a-z_]+")


def _queries() -> list[str]:
    targets: list[Any] = [target for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
    return [target["expr"] for target in targets]


def _promtool(*words: str | Path) -> None:
    done = subprocess.run([locate("promtool"), *words], text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_every_alert_asks_for_metrics_that_exist(rule: dict[str, Any]) -> None:
    assert set(METRIC.findall(rule["expr"])) <= series_names()


@pytest.mark.parametrize("query", _queries())
def test_every_panel_asks_for_metrics_that_exist(query: str) -> None:
    assert set(METRIC.findall(query)) <= series_names()


def test_the_rules_fire_when_they_should_and_only_then() -> None:
    _promtool("check", "rules", MONITORING / "alerts.yaml")
    _promtool("test", "rules", MONITORING / "alerts_test.yaml")


def test_every_alert_is_tried_by_the_rules_own_tests() -> None:
    tried = (MONITORING / "alerts_test.yaml").read_text()
    assert [rule["alert"] for rule in RULES if rule["alert"] not in tried] == []


def test_prometheus_takes_the_queries_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(_queries())]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    _promtool("check", "rules", tmp_path / "rules.yaml")


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    config = (MONITORING / "prometheus.yaml").read_text()
    (tmp_path / "prometheus.yaml").write_text(config.replace("/etc/prometheus/", f"{MONITORING}/"))
    _promtool("check", "config", tmp_path / "prometheus.yaml")


def test_the_page_of_alerts_explains_each_of_them_and_no_other() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "alerts.md").read_text(), re.MULTILINE)
    assert explained == [rule["alert"] for rule in RULES]
