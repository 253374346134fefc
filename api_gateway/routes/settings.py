"""`/api/v1/settings`: the runtime settings."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from api_gateway.routes.dependencies import RuntimeSettingsDep
from api_gateway.security.access import Operator, Viewer
from api_gateway.security.audit import note
from contract.runtime_settings import Blur, RuntimeSettings

router = APIRouter(prefix="/api/v1/settings", tags=["settings"])


class SettingsChange(BaseModel):
    """The settings to change; the others keep their values."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"blur": "mask"}})

    saving: bool = True
    """Save faces automatically."""
    blur: Blur = "off"
    """How faces are hidden in every video, at least."""


class SettingsResponse(RuntimeSettings):
    """The current settings."""

    model_config = ConfigDict(json_schema_extra={"example": {"saving": False, "blur": "mask"}})


@router.get("")
async def current(runtime_settings: RuntimeSettingsDep, _: Viewer) -> SettingsResponse:
    """The current settings of all gateways."""
    return SettingsResponse.model_validate(runtime_settings.current.model_dump())


@router.patch("")
async def change(
    request: Request, changes: SettingsChange, runtime_settings: RuntimeSettingsDep, _: Operator
) -> SettingsResponse:
    """Change settings; Redis stores them."""
    values = changes.model_dump(exclude_unset=True)
    note(request, **values)
    changed = await runtime_settings.change(**values)
    return SettingsResponse.model_validate(changed.model_dump())
