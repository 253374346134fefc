"""Secrets in files, as containers get them: `EMOTII_REDIS_URL_FILE` names a file that holds the URL."""

import os
from pathlib import Path
from typing import Any

from pydantic.config import JsonDict
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from contract.errors import SettingsError, reason_of

SECRET: JsonDict = {"secret": True}
"""`json_schema_extra` of a field whose value is a secret: it is never shown and may be read from a file."""


def is_secret(field: FieldInfo) -> bool:
    """Whether the value of this setting is a secret."""
    return isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("secret") is True


def file_variable(name: str) -> str:
    """The variable that names the file of the setting `name`."""
    return f"EMOTII_{name.upper()}_FILE"


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the secrets of a settings class from the files that the environment names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(file_variable(field_name)) if is_secret(field) else None
        return (_content(field_name, Path(path)) if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class EmotiiSettings(BaseSettings):
    """Settings from `EMOTII_*` variables; a secret without a variable is read from its file."""

    model_config = SettingsConfigDict(env_prefix="EMOTII_", frozen=True, env_ignore_empty=True)

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *_: PydanticBaseSettingsSource, **sources: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return sources["init_settings"], sources["env_settings"], SecretFiles(settings_cls)


def _content(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else reason_of(error)
        raise SettingsError(f"{file_variable(name)}={path}: {reason}") from error
