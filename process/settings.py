"""Read the settings once, at the edge; refuse them in words when they are wrong."""

import os
import re
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
)

from process import environment
from process.api_keys import ApiKey, read_keys
from process.environment import PREFIX, WrongSettings
from process.provider_settings import with_provider_settings
from process.setting_types import (
    AmqpUrls,
    BaseUrl,
    Credential,
    DatabaseUrl,
    OrAuto,
    PlaceOfCopies,
    Port,
    Providers,
    QueuePrefixes,
    Seconds,
    Secrets,
    SigningSecrets,
    UriReference,
)
from providers.capabilities import Given, SettingKind
from providers.registry import PROVIDERS, SHORT_LIVED
from schemas.names import Provider

__all__ = ["Settings", "WrongSettings", "suspicions"]


@with_provider_settings
class Settings(BaseModel):
    """Everything reelbus may be told: the field `max_body_bytes` is read from `REELBUS_MAX_BODY_BYTES`.

    Those of a provider are declared by it, and read by `given`, `rate` and `webhook_graces`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    database_url: Annotated[DatabaseUrl, Field(repr=False)] = "sqlite:///reelbus.db"
    amqp_url: AmqpUrls = SecretStr("amqp://guest:guest@127.0.0.1:5672/")
    host: str = "127.0.0.1"
    port: Port = 8080
    surface: Annotated[str, Field(pattern="^(all|public|private)$")] = "all"
    public_url: BaseUrl | None = None
    url: BaseUrl | None = None
    api_key: Credential | None = None
    api_keys: Annotated[tuple[ApiKey, ...], BeforeValidator(read_keys)] = ()
    commands_budget: Annotated[int, Field(ge=0)] | None = None
    webhook_secrets: Secrets = ()
    providers: Providers = tuple(PROVIDERS)
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
    prove_results: OrAuto = None
    keep_results: PlaceOfCopies | None = None
    max_body_bytes: Annotated[int, Field(ge=1024, le=1_073_741_824)] = 20_971_520
    media_ttl: Seconds = 3600
    retention_days: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] = 90
    health_port: Port | None = None
    health_host: str | None = None
    reply_to_prefixes: QueuePrefixes = ()
    event_signing_secret: SigningSecrets = ()
    source: UriReference = "/reelbus"
    management_url: BaseUrl | None = None
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
    def submission_rates(self) -> dict[Provider, float]:
        """Give how many submissions a second a provider may be sent, of those that limit them apart."""
        return {
            name: float(getattr(self, f"{name}_submission_rate"))
            for name, each in PROVIDERS.items()
            if each.submission_rate is not None
        }

    @property
    def webhook_graces(self) -> dict[Provider, float]:
        """For how many seconds a job of each provider that calls back is left to its webhook."""
        return {
            name: float(getattr(self, f"{name}_webhook_grace")) for name, each in PROVIDERS.items() if each.calls_back
        }

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
