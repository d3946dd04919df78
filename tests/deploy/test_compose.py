"""Containers are bounded and unprivileged, publish nothing beyond this machine, and have a broker user a role."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
ROLES = {name: service for name, service in SERVICES.items() if "command" in service}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_bounded_and_reached_from_this_machine_alone(name: str) -> None:
    service = SERVICES[name]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("name", ROLES)
def test_a_role_connects_as_its_own_user(name: str) -> None:
    [role] = ROLES[name]["command"]
    address = ROLES[name]["environment"]["REELBUS_AMQP_URL"]
    assert address == f"amqp://reelbus-{role}:${{AMQP_{role.upper()}_PASSWORD}}@rabbitmq:5672/"
    users = {user["name"] for user in json.loads((DEPLOY / "rabbitmq" / "definitions.json").read_text())["users"]}
    assert f"reelbus-{role}" in users


def test_the_broker_is_given_every_password_that_its_definitions_leave_open() -> None:
    wanted = set(re.findall(r"@(\w+)@", (DEPLOY / "rabbitmq" / "definitions.json").read_text()))
    filled = set(re.findall(r"@(\w+)@", (DEPLOY / "rabbitmq" / "start.sh").read_text()))
    assert wanted == filled == set(SERVICES["rabbitmq"]["environment"])


def test_every_role_is_scraped_at_its_internal_port() -> None:
    prometheus = yaml.safe_load((DEPLOY / "monitoring" / "prometheus.yaml").read_text())
    [discovery] = prometheus["scrape_configs"][0]["dns_sd_configs"]
    assert set(discovery["names"]) == set(ROLES)
    ports = {service["environment"]["REELBUS_HEALTH_PORT"] for service in ROLES.values()}
    assert ports == {str(discovery["port"])}
