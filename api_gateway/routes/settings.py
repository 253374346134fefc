"""`/api/v1/settings`: what people switch while the system runs."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from api_gateway.routes.dependencies import AskedGateway
from api_gateway.security.access import Operator, Viewer
from api_gateway.security.audit import note
from contract.runtime_settings import Blur, RuntimeSettings

router = APIRouter(prefix="/api/v1/settings", tags=["settings"])


class SettingsChange(BaseModel):
    """The settings that are to change; the others stay as they are."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"blur": "mask"}})

    saving: bool = True
    """Save faces by itself."""
    blur: Blur = "off"
    """The least that is done to faces in every video."""


class SettingsAnswer(RuntimeSettings):
    """All settings as they are now."""

    model_config = ConfigDict(json_schema_extra={"example": {"saving": False, "blur": "mask"}})


@router.get("")
async def settings(gateway: AskedGateway, _: Viewer) -> SettingsAnswer:
    """The settings that hold now in every gateway."""
    return SettingsAnswer.model_validate(gateway.runtime_settings.current.model_dump())


@router.patch("")
async def change(request: Request, changes: SettingsChange, gateway: AskedGateway, _: Operator) -> SettingsAnswer:
    """Change settings; they are kept in Redis."""
    wanted = changes.model_dump(exclude_unset=True)
    note(request, **wanted)
    changed = await gateway.runtime_settings.change(**wanted)
    return SettingsAnswer.model_validate(changed.model_dump())
