"""Whatever can be set is explained in `env.example`, and reaches the containers that read it."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from process.settings import Settings
from providers.registry import PROVIDERS

DEPLOY = Path(__file__).parents[2] / "deploy"
VARIABLES = sorted(f"REELBUS_{field.upper()}" for field in Settings.model_fields)
EXAMPLE = (DEPLOY / "env.example").read_text()
COMMAND_LINE_ONLY = {"REELBUS_URL", "REELBUS_API_KEY"}
LINE = re.compile(r"^#?([A-Z_]+)=(.*)$", re.MULTILINE)


def _environments() -> dict[str, dict[str, object]]:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return {name: service.get("environment", {}) for name, service in compose["services"].items()}


def test_the_example_names_every_setting_once_and_nothing_else() -> None:
    named = Counter(name for name, _ in LINE.findall(EXAMPLE) if name.startswith("REELBUS_"))
    assert named == Counter(VARIABLES)


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_comment_stands_above_every_setting(variable: str) -> None:
    assert re.search(rf"\n# [^\n]+\n#?{variable}=", EXAMPLE)


def test_the_defaults_that_the_example_shows_are_the_defaults() -> None:
    shown = {name: value for name, value in LINE.findall(EXAMPLE) if value and name in VARIABLES}
    forms_only = {"REELBUS_WEBHOOK_SECRETS", "REELBUS_COMMANDS_BUDGET", "REELBUS_HEALTH_PORT", "REELBUS_URL"}
    read = Settings.read({name: shown[name] for name in shown if name not in forms_only}, file=None)
    assert read == Settings.read({}, file=None)


@pytest.mark.parametrize("variable", sorted(set(VARIABLES) - COMMAND_LINE_ONLY))
def test_some_container_is_given_every_setting(variable: str) -> None:
    assert any(variable in environment for environment in _environments().values())


def test_the_container_that_faces_the_internet_holds_no_api_keys() -> None:
    public = _environments()["receiver-public"]
    assert "REELBUS_API_KEYS" not in public
    assert public["REELBUS_SURFACE"] == "public"


def test_only_who_talks_to_the_providers_is_given_their_credentials() -> None:
    ours = {variable for variable in VARIABLES if variable.endswith("_WEBHOOK_GRACE")}
    prefixes = tuple(f"REELBUS_{name}_".upper() for name in PROVIDERS)
    holding = {
        name
        for name, environment in _environments().items()
        if any(variable.startswith(prefixes) for variable in set(environment) - ours)
    }
    assert holding == {"generator", "poller"}
