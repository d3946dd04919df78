"""Read the settings once, at the edge; refuse them in words when they are wrong."""

import os
import re
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    create_model,
)

from process import environment
from process.api_keys import ApiKey, read_keys
from process.environment import PREFIX, WrongSettings
from process.standard_webhooks import secret_key
from providers.capabilities import Capabilities, CredentialSetting, Given, SettingKind
from providers.registry import PROVIDERS, SHORT_LIVED
from schemas.names import Provider

__all__ = ["Settings", "WrongSettings", "suspicions"]


def _no_path(url: str) -> str:
    parts = urlsplit(url)
    try:
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None:
        raise ValueError("is not an http or https address with a host; write it as https://example.com")
    if parts.path.rstrip("/") or parts.query or parts.fragment:
        raise ValueError("must have no path; the documented paths are appended: write it as https://example.com")
    return url.rstrip("/")


def _amqp(url: SecretStr) -> SecretStr:
    for position, address in enumerate(url.get_secret_value().split(","), start=1):
        parts = urlsplit(address.strip())
        if parts.scheme not in {"amqp", "amqps"} or not parts.hostname:
            which = f" (address {position})" if position > 1 else ""
            raise ValueError(f"is not an AMQP address{which}; write it as amqp://user:password@host:5672/vhost")
    return url


def _prefixes(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    if any(prefix.startswith("video.") for prefix in prefixes):
        raise ValueError(
            "allows replies into queues of reelbus itself; choose a prefix that does not begin with video."
        )
    return prefixes


def _uri_reference(source: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9/:._~%@!$&'()*+,;=?#-]{1,200}", source):
        raise ValueError(
            "is not a URI reference of at most 200 characters; write it as /reelbus or https://example.com/reelbus"
        )
    return source


def _database(url: str) -> str:
    if re.fullmatch(r"postgres(ql)?://[^/?]+/[^/?]+(\?.*)?", url):
        return url
    if not url.startswith("sqlite:///") or len(url) == len("sqlite:///"):
        raise ValueError(
            "is not a database address; write it as sqlite:///reelbus.db or postgresql://user:password@host/database"
        )
    return url


def _list(text: object) -> object:
    if not isinstance(text, str):
        return text
    return tuple(filter(None, map(str.strip, text.split(","))))


def _or_auto(text: object) -> object:
    return None if text == "auto" else text


def _place_of_copies(url: str | None) -> str | None:
    if url is not None and not re.fullmatch(r"file:///.+", url):
        raise ValueError("is no place for copies; write it as file:///var/lib/reelbus/clips")
    return url


def _secrets(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if any(len(secret.get_secret_value()) < 16 for secret in secrets):
        raise ValueError("has a secret shorter than 16 characters; use at least 16 random ones")
    return secrets


def _signing_secrets(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for secret in secrets:
        secret_key(secret.get_secret_value())
    return secrets


def _one_line(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().isprintable() or secret.get_secret_value() != secret.get_secret_value().strip():
        raise ValueError("has a line break, a space at an end or a control character; paste the value alone")
    return secret


def _one_line_text(text: str) -> str:
    _one_line(SecretStr(text))
    return text


def _providers(names: object) -> object:
    chosen = _list(names)
    if isinstance(chosen, tuple) and not set(chosen) <= PROVIDERS.keys():
        raise ValueError(f"names something unknown; choose from {', '.join(PROVIDERS)}")
    if isinstance(chosen, tuple) and len(set(chosen)) < len(chosen):
        raise ValueError("names a provider twice; name each once, in the order of preference")
    return chosen


Credential = Annotated[SecretStr, AfterValidator(_one_line)]
"""A secret that goes into a request as it is."""

OptionText = Annotated[str, Field(max_length=500), AfterValidator(_one_line_text)]
"""A choice of the operator's that goes into a request as it is."""

Seconds = Annotated[float, Field(gt=0, le=10_000_000, allow_inf_nan=False)]
BaseUrl = Annotated[str, AfterValidator(_no_path)]
Port = Annotated[int, Field(ge=1, le=65535)]


Rate = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
Grace = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)]
Model = TypeVar("Model", bound=BaseModel)


def _fields_of(provider: Capabilities) -> dict[str, Any]:
    """Name the settings of one provider, with their types and defaults."""
    fields: dict[str, Any] = {"url": (BaseUrl, provider.url), "rate": (Rate, provider.rate)}
    if provider.calls_back:
        fields["webhook_grace"] = (Grace, provider.webhook_grace)
    fields |= {each.name: (OptionText, each.default) for each in provider.options}
    return fields | {each.name: (_type_of(each) | None, None) for each in provider.credentials}


def _type_of(setting: CredentialSetting) -> Any:  # noqa: ANN401 - a type with its rules
    return Credential if setting.kind is SettingKind.SECRET else Annotated[str, AfterValidator(_one_line_text)]


def with_provider_settings(model: type[Model]) -> type[Model]:
    """Add to a model of settings those that providers declare: the `token` of `toy` becomes `toy_token`."""
    fields = {
        f"{provider.name}_{name}": field
        for provider in PROVIDERS.values()
        for name, field in _fields_of(provider).items()
    }
    return create_model(model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields)


@with_provider_settings
class Settings(BaseModel):
    """Everything reelbus may be told: the field `max_body_bytes` is read from `REELBUS_MAX_BODY_BYTES`.

    Those of a provider are declared by it, and read by `given`, `rate` and `webhook_grace`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    database_url: Annotated[str, AfterValidator(_database), Field(repr=False)] = "sqlite:///reelbus.db"
    amqp_url: Annotated[SecretStr, AfterValidator(_amqp)] = SecretStr("amqp://guest:guest@127.0.0.1:5672/")
    host: str = "127.0.0.1"
    port: Port = 8080
    surface: Annotated[str, Field(pattern="^(all|public|private)$")] = "all"
    public_url: BaseUrl | None = None
    url: BaseUrl | None = None
    api_key: Credential | None = None
    api_keys: Annotated[tuple[ApiKey, ...], BeforeValidator(read_keys)] = ()
    commands_budget: Annotated[int, Field(ge=0)] | None = None
    webhook_secrets: Annotated[tuple[SecretStr, ...], BeforeValidator(_list), AfterValidator(_secrets)] = ()
    providers: Annotated[tuple[Provider, ...], BeforeValidator(_providers)] = tuple(PROVIDERS)
    provider_timeout: Seconds = 30
    job_timeout: Seconds = 900
    submit_attempts: Annotated[int, Field(ge=1, le=100)] = 20
    submit_deadline: Seconds = 3600
    fallback_when_unsure: bool = False
    submit_confirm_wait: Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)] = 300
    trust_webhook_body: bool = False
    poll_min: Seconds = 2
    poll_max: Seconds = 30
    allow_private_image_hosts: bool = False
    allow_private_output_hosts: bool = False
    prove_results: Annotated[bool | None, BeforeValidator(_or_auto)] = None
    keep_results: Annotated[str | None, AfterValidator(_place_of_copies)] = None
    max_body_bytes: Annotated[int, Field(ge=1024, le=1_073_741_824)] = 20_971_520
    media_ttl: Seconds = 3600
    retention_days: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] = 90
    health_port: Port | None = None
    health_host: str | None = None
    reply_to_prefixes: Annotated[tuple[str, ...], BeforeValidator(_list), AfterValidator(_prefixes)] = ()
    event_signing_secret: Annotated[
        tuple[SecretStr, ...], BeforeValidator(_list), AfterValidator(_signing_secrets)
    ] = ()
    source: Annotated[str, AfterValidator(_uri_reference)] = "/reelbus"
    exchange: Annotated[str, Field(pattern="^[A-Za-z0-9._-]{1,200}$")] = "video.events"

    _files: dict[str, Path] = PrivateAttr(default_factory=dict)

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str] = os.environ,
        *,
        file: Path | None = Path(".env"),
        without: Collection[str] = (),
    ) -> Self:
        """Read the environment, which wins, the env file, and the files that `…_FILE` name. Raises `WrongSettings`.

        Variables `without` which the process shall be are left out, and their files unread.
        """
        given = {name: value for name, value in environment.merged(environ, file).items() if name not in without}
        files = environment.named_files(given)
        given |= {variable: environment.read_secret(variable, path) for variable, path in files.items()}
        values = {name.removeprefix(PREFIX).lower(): value for name, value in given.items()}
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            raise WrongSettings("\n".join(_line(fault) for fault in error.errors())) from None
        if settings.poll_min > settings.poll_max:
            raise WrongSettings(
                f"REELBUS_POLL_MIN ({settings.poll_min:g}) is above REELBUS_POLL_MAX ({settings.poll_max:g});"
                " lower the first"
            )
        settings._files.update(files)  # noqa: SLF001 - our own
        return settings

    def file_of(self, field: str) -> Path | None:
        """Name the file that a field was read from, as with `REELBUS_API_KEYS_FILE`."""
        return self._files.get(PREFIX + field.upper())

    @property
    def local_url(self) -> str:
        """The address at which this machine reaches the receiver."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104 - read, not bound
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"http://{host}:{self.port}"

    @property
    def shown_database_url(self) -> str:
        """The database's address without what may be a password in it."""
        without = re.sub(r"(?<=://)([^:@/?]*):[^@/?]*@", r"\1:***@", self.database_url)
        return re.sub(r"([?&]\w*pass\w*=)[^&]*", r"\1***", without)

    @property
    def amqp_urls(self) -> list[str]:
        """The broker's addresses in the order in which they are tried; they may hold a password."""
        return [address.strip() for address in self.amqp_url.get_secret_value().split(",")]

    @property
    def base_url(self) -> str:
        """The base of the addresses that providers are given."""
        return self.public_url or self.local_url

    @cached_property
    def enabled_providers(self) -> tuple[Provider, ...]:
        """The providers that have credentials, in the order of preference."""
        return tuple(provider for provider in self.providers if self._has_credentials(provider))

    def given(self, provider: Provider) -> Given:
        """Give what a provider's client is built from."""
        return Given(
            url=str(getattr(self, f"{provider}_url")),
            credentials=self._credentials(provider),
            timeout=self.provider_timeout,
            allow_private_outputs=self.allow_private_output_hosts,
            options={each.name: str(getattr(self, f"{provider}_{each.name}")) for each in PROVIDERS[provider].options},
            job_timeout=self.job_timeout,
        )

    def proves_results_of(self, provider: Provider) -> bool:
        """Say whether the addresses of a provider's results are asked before they are announced.

        Always where copies are kept; by default where they are short-lived.
        """
        if self.keep_results is not None:
            return True
        live = PROVIDERS[provider].results_live
        by_default = live is not None and live <= SHORT_LIVED
        return by_default if self.prove_results is None else self.prove_results

    def rate(self, provider: Provider) -> float:
        """Give how many requests a second a provider may be asked."""
        return float(getattr(self, f"{provider}_rate"))

    @property
    def webhook_grace(self) -> float:
        """How many seconds a job whose provider calls back is left to its webhook."""
        graces = [getattr(self, f"{each}_webhook_grace") for each in self.providers if PROVIDERS[each].calls_back]
        return float(max(graces, default=0.0))

    @property
    def account_names(self) -> frozenset[str]:
        """Our own names at the enabled providers, which no job bears."""
        return frozenset(
            self._credentials(provider)[setting.name]
            for provider in self.enabled_providers
            for setting in PROVIDERS[provider].credentials
            if setting.kind is SettingKind.ACCOUNT
        )

    def _has_credentials(self, provider: Provider) -> bool:
        values = self._credentials(provider)
        return all(values[each.name] for each in PROVIDERS[provider].credentials if each.required)

    def _credentials(self, provider: Provider) -> dict[str, str]:
        values = {each.name: getattr(self, f"{provider}_{each.name}") for each in PROVIDERS[provider].credentials}
        return {name: _plain(value) for name, value in values.items()}


def _plain(value: SecretStr | str | None) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value or ""


def suspicions(environ: Mapping[str, str] = os.environ, *, file: Path | None = Path(".env")) -> list[str]:
    """Name what is probably a mistake in the environment or the env file: unknown names, half a pair of credentials."""
    return environment.warnings(environ, file, [PREFIX + field.upper() for field in Settings.model_fields])


_MENDS = {
    "bool_parsing": "is neither true nor false; write true or false",
    "float_parsing": "is not a number; write it as 2.5",
    "int_parsing": "is not a whole number; write it as 20",
}


def _line(fault: Any) -> str:  # noqa: ANN401 - pydantic's error dictionary
    variable = PREFIX + str(fault["loc"][0]).upper()
    if fault["type"] == "value_error":
        return f"{variable} {fault['ctx']['error']}"
    if fault["type"] == "string_pattern_mismatch" and variable.endswith("SURFACE"):
        return f"{variable} is not a surface; choose from all, public, private"
    words = _MENDS.get(fault["type"])
    return f"{variable} {words}" if words else f"{variable} is wrong: {fault['msg'].lower()}"
