"""Settings are read once; what is wrong is refused by its variable, what is doubtful is told, and no secret shows."""

import os
from pathlib import Path

import pytest

from process.environment import PROVIDER_CREDENTIALS
from process.settings import Settings, WrongSettings, suspicions
from schemas.names import Provider

SECRET = "a-secret-that-must-not-show"


def read(file: Path | None = None, /, **variables: str) -> Settings:
    return Settings.read({f"REELBUS_{name.upper()}": value for name, value in variables.items()}, file=file)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("port", "80a", "REELBUS_PORT is not a whole number"),
        ("poll_min", "often", "REELBUS_POLL_MIN is not a number"),
        ("trust_webhook_body", "perhaps", "REELBUS_TRUST_WEBHOOK_BODY is neither true nor false"),
        ("surface", "both", "REELBUS_SURFACE is not a surface; choose from all, public, private"),
        ("providers", "iacrea,other", "REELBUS_PROVIDERS names something unknown; choose from iacrea, homedesigns"),
        ("providers", "iacrea,iacrea", "REELBUS_PROVIDERS names a provider twice"),
        ("iacrea_url", f"https://{SECRET}@x.example", "REELBUS_IACREA_URL is not an http or https address"),
        ("public_url", "https://x.example/path", "REELBUS_PUBLIC_URL must have no path"),
        ("amqp_url", f"http://user:{SECRET}@host", "REELBUS_AMQP_URL is not an AMQP address"),
        ("database_url", "reelbus.db", "REELBUS_DATABASE_URL is not a database address"),
        ("api_keys", SECRET, "REELBUS_API_KEYS has no name:key as entry 1"),
        ("api_keys", f"a:{SECRET},b", "REELBUS_API_KEYS has no name:key as entry 2"),
        ("api_keys", "shop:fifteen-letters", "REELBUS_API_KEYS has a key for shop shorter than 16 characters"),
        ("api_keys", f"a:{SECRET},b:{SECRET}", "REELBUS_API_KEYS has the same key for a and b"),
        ("api_keys", "a:sha256$abc", "REELBUS_API_KEYS has no SHA-256 digest for a"),
        ("api_keys", f"two words:{SECRET}", "REELBUS_API_KEYS has no name:key as entry 1"),
        ("webhook_secrets", "short", "REELBUS_WEBHOOK_SECRETS has a secret shorter than 16 characters"),
        ("iacrea_api_key", f"{SECRET}\n", "REELBUS_IACREA_API_KEY has a line break"),
        ("iacrea_user_id", "me\nyou", "REELBUS_IACREA_USER_ID has a line break"),
        ("homedesigns_token", f"{SECRET}\r\nX-Header: 1", "REELBUS_HOMEDESIGNS_TOKEN has a line break"),
        ("api_key", f"{SECRET}\x00", "REELBUS_API_KEY has a line break"),
    ],
)
def test_a_wrong_setting_is_named_with_its_mend_and_without_its_value(variable: str, value: str, said: str) -> None:
    value = value.replace("fifteen-letters", "15-letters-here")
    with pytest.raises(WrongSettings) as refusal:
        read(None, **{variable: value})
    assert str(refusal.value).startswith(said)
    assert SECRET not in str(refusal.value)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(WrongSettings) as refusal:
        read(port="x", poll_min="y", surface="z")
    assert len(str(refusal.value).splitlines()) == 3


def test_the_environment_wins_over_the_env_file_and_empty_is_not_set(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("REELBUS_PORT=81\nREELBUS_EXCHANGE=from.file\nREELBUS_HOST=127.0.0.9\n")
    settings = read(file, port="82", host="")
    assert (settings.port, settings.exchange, settings.host) == (82, "from.file", "127.0.0.1")


def test_secrets_and_addresses_may_stand_in_files(tmp_path: Path) -> None:
    keys, token, url = tmp_path / "keys", tmp_path / "token", tmp_path / "url"
    keys.write_text(f"shop:{SECRET}\noffice:{SECRET}-2\n")
    token.write_text("the token\n")
    url.write_text(f"amqp://user:{SECRET}@broker/\n")
    settings = read(api_keys_file=str(keys), homedesigns_token_file=str(token), amqp_url_file=str(url))
    assert [key.name for key in settings.api_keys] == ["shop", "office"]
    assert settings.given(Provider("homedesigns")).credentials == {"token": "the token"}
    assert settings.amqp_url.get_secret_value() == f"amqp://user:{SECRET}@broker/"
    assert settings.file_of("api_keys") == keys
    assert SECRET not in repr(settings)


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name, said in [("missing", "cannot be read"), ("empty", "is empty"), ("binary", "is not text in UTF-8")]:
        with pytest.raises(WrongSettings, match=f"REELBUS_API_KEYS_FILE .*{said}"):
            read(api_keys_file=str(tmp_path / name))
    with pytest.raises(WrongSettings, match="REELBUS_API_KEY and REELBUS_API_KEY_FILE are both set"):
        read(api_key=SECRET, api_key_file=str(tmp_path / "empty"))


def test_what_is_probably_a_mistake_is_told_with_what_was_meant(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("REELBUS_IACREA_USERID=me\nREELBUS_IACREA_API_KEY=key\nOTHER=1\n")
    file.chmod(0o600)
    told = suspicions({"REELBUS_PROT": "1", "REELBUS_POLL_MIN_FILE": "x", "HOME": "/"}, file=file)
    assert told == [
        f"REELBUS_IACREA_USERID (in {file}) is not a setting of reelbus; did you mean REELBUS_IACREA_USER_ID?",
        "REELBUS_POLL_MIN_FILE is not a setting of reelbus; did you mean REELBUS_POLL_MIN?",
        "REELBUS_PROT is not a setting of reelbus; did you mean REELBUS_PORT?",
        "REELBUS_IACREA_API_KEY is set, but REELBUS_IACREA_USER_ID is not; without both the provider is off",
    ]


def test_sound_settings_arouse_no_suspicion(tmp_path: Path) -> None:
    environ = {"REELBUS_PORT": "1", "REELBUS_API_KEYS_FILE": "x", "REELBUS_TEST_CRASH": "", "REELBUS_URL": "http://x"}
    assert suspicions(environ, file=tmp_path / "none") == []


@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "said"),
    [
        (0o600, 0o755, None),
        (0o640, 0o755, None),
        (0o644, 0o755, "can be read by every user"),
        (0o620, 0o755, "could be written by another user"),
        (0o600, 0o777, "could be written by another user"),
        (0o600, 0o1777, None),
    ],
)
def test_an_env_file_that_another_user_could_write_or_read_is_told(
    tmp_path: Path, file_mode: int, folder_mode: int, said: str | None
) -> None:
    file = tmp_path / "place" / ".env"
    file.parent.mkdir()
    file.write_text("REELBUS_URL=http://elsewhere.example\n")
    file.chmod(file_mode)
    file.parent.chmod(folder_mode)
    told = suspicions({}, file=file)
    assert [said in line for line in told if said] == ([True] if said else [])
    assert bool(told) is bool(said)


def test_a_key_of_any_characters_is_compared_by_its_bytes() -> None:
    (key,) = read(api_keys="office:ключ-длинный-очень").api_keys
    assert "ключ" not in repr(key)
    assert os.fsencode(key.name) == b"office"


def test_a_process_that_asks_no_provider_reads_no_credentials(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"REELBUS_HOMEDESIGNS_TOKEN={SECRET}\n")
    environment = {"REELBUS_IACREA_API_KEY_FILE": "/nowhere/at/all", "REELBUS_IACREA_USER_ID": SECRET}
    settings = Settings.read(environment, file=file, without=PROVIDER_CREDENTIALS)
    assert settings.enabled_providers == ()
    assert SECRET not in repr(settings.model_dump())
    with pytest.raises(WrongSettings, match="REELBUS_IACREA_API_KEY_FILE"):
        Settings.read(environment, file=file)
