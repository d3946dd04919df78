"""Say where each setting comes from, without its value where that is a secret."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from process.environment import FILE, PREFIX, may_come_from_file, merged
from process.settings import Settings

_HIDDEN = "***"


def sources(settings: Settings, env_file: Path) -> list[dict[str, Any]]:
    """Give name, source (environment, a file's path, or default) and value of every setting; secrets are hidden."""
    in_environment = merged(os.environ, None)
    in_file = merged({}, env_file)
    return [
        {"name": name, "source": _source(name, in_environment, in_file, env_file), "value": _shown(name, value)}
        for name, value in ((PREFIX + field.upper(), getattr(settings, field)) for field in Settings.model_fields)
    ]


def _source(name: str, in_environment: dict[str, str], in_file: dict[str, str], env_file: Path) -> str:
    for given, where in ((in_environment, "environment"), (in_file, str(env_file))):
        if name in given:
            return where
        if may_come_from_file(name) and name + FILE in given:
            return f"{given[name + FILE]} ({name}{FILE}, {where})"
    return "default"


def _shown(name: str, value: object) -> object:
    if value is None or value == ():
        return None
    if name.endswith("_AMQP_URL") or name.endswith("_DATABASE_URL"):
        return _without_password(getattr(value, "get_secret_value", lambda: value)())
    if isinstance(value, bool | int | float) or not may_come_from_file(name) or name.endswith("_URL"):
        return list(value) if isinstance(value, tuple) else value
    return _HIDDEN


def _without_password(urls: object) -> str:
    """Hide user and password of one or several addresses."""
    return ",".join(_bare(url) for url in str(urls).split(","))


def _bare(url: str) -> str:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{_HIDDEN}@{host}" if at and user else host, query="").geturl()
