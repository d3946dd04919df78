"""Settings that providers declare."""

from typing import Any, TypeVar

from pydantic import (
    BaseModel,
    create_model,
)

from process.setting_types import (
    BaseUrl,
    Credential,
    Grace,
    OneLine,
    OptionText,
    Rate,
)
from providers.capabilities import Capabilities, CredentialSetting, SettingKind
from providers.registry import PROVIDERS

Model = TypeVar("Model", bound=BaseModel)


def _fields_of(provider: Capabilities) -> dict[str, Any]:
    """Name the settings of one provider, with their types and defaults."""
    fields: dict[str, Any] = {"url": (BaseUrl, provider.url), "rate": (Rate, provider.rate)}
    if provider.submission_rate is not None:
        fields["submission_rate"] = (Rate, provider.submission_rate)
    if provider.calls_back:
        fields["webhook_grace"] = (Grace, provider.webhook_grace)
    fields |= {each.name: (OptionText, each.default) for each in provider.options}
    return fields | {each.name: (_type_of(each) | None, None) for each in provider.credentials}


def _type_of(setting: CredentialSetting) -> Any:  # noqa: ANN401 - a type with its rules
    return Credential if setting.kind is SettingKind.SECRET else OneLine


def with_provider_settings(model: type[Model]) -> type[Model]:
    """Add to a model of settings those that providers declare: the `token` of `toy` becomes `toy_token`."""
    fields = {
        f"{provider.name}_{name}": field
        for provider in PROVIDERS.values()
        for name, field in _fields_of(provider).items()
    }
    return create_model(model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields)
