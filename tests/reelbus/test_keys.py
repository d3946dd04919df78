"""`reelbus keys`: a key is shown once and kept as its hash; what is done to keys is in the audit log."""

import json
import sqlite3
from pathlib import Path

from process.api_keys import digest_of
from tests.reelbus.conftest import Run


def _listed(run: Run, **env: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("keys", "list", "--json", **env).output.splitlines()]


def test_a_created_key_is_printed_once_and_kept_as_its_hash_alone(run: Run, tmp_path: Path) -> None:
    ended = run("keys", "create", "shop", "--scope", "submit", "--scope", "read", "--budget", "20", "--expires", "90d")
    key = ended.output.strip()
    assert ended.status == 0
    assert len(key) >= 40
    assert key not in ended.errors
    (listed,) = _listed(run)
    assert (listed["name"], listed["state"], listed["scopes"], listed["budget"], listed["spent_today"]) == (
        "shop",
        "live",
        ["read", "submit"],
        20,
        0,
    )
    assert listed["sha256"] == digest_of(key.encode()).hex()
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert key.encode() not in stored


def test_every_key_of_a_disabled_name_is_off_those_in_the_settings_too(run: Run) -> None:
    keys = {"REELBUS_API_KEYS": "shop:a-key-of-sixteen-letters,office:another-of-sixteen"}
    run("keys", "create", "shop")
    run("keys", "create", "shop")
    assert run("keys", "disable", "shop", **keys).status == 0
    run("keys", "create", "shop")
    states = [(key["name"], key["from"], key["state"]) for key in _listed(run, **keys)]
    assert states == [
        ("shop", "store", "disabled"),
        ("shop", "store", "disabled"),
        ("shop", "store", "live"),
        ("shop", "settings", "disabled"),
        ("office", "settings", "live"),
    ]
    assert run("keys", "enable", "shop").status == 0
    assert _listed(run, **keys)[3]["state"] == "live"
    assert run("keys", "enable", "shop").status == 4


def test_an_unknown_name_is_4_and_disabled_all_the_same(run: Run) -> None:
    ended = run("keys", "disable", "nobody")
    assert ended.status == 4
    assert "nobody" in ended.errors
    assert _listed(run, REELBUS_API_KEYS="nobody:a-key-of-sixteen-letters")[0]["state"] == "disabled"


def test_what_was_done_to_keys_is_in_the_audit_log(run: Run, tmp_path: Path) -> None:
    run("keys", "create", "shop")
    run("keys", "disable", "shop")
    connection = sqlite3.connect(tmp_path / "reelbus.db")
    found = connection.execute("SELECT actor, action, subject FROM audit ORDER BY id").fetchall()
    connection.close()
    assert found == [(":operator", "key_created", "shop"), (":operator", "key_disabled", "shop")]


def test_a_rotation_disables_the_older_key_alone(run: Run) -> None:
    run("keys", "create", "shop")
    run("keys", "create", "shop")
    older = str(_listed(run)[0]["sha256"])
    assert run("keys", "disable", "shop", "--sha256", older[:12]).status == 0
    assert [key["state"] for key in _listed(run)] == ["disabled", "live"]
    assert run("keys", "disable", "shop", "--sha256", older[:12]).status == 4
    assert run("keys", "disable", "shop", "--sha256", "x").status == 2
