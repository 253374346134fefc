"""Settings that people change while the system runs: kept in Redis, followed by every gateway, kept over restarts."""

import json
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

Blur = Literal["off", "blur", "mask"]
"""How faces in video are hidden, from the weakest to the strongest."""


class RuntimeSettings(BaseModel):
    """The settings of `keys.SETTINGS`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    saving: bool
    """Save faces automatically."""
    blur: Blur = "off"
    """The least blur of every video."""

    def changed_by(self, stored: Mapping[bytes, bytes]) -> tuple[Self, frozenset[str]]:
        """These settings with the stored fields (field -> JSON), and the names of unusable stored fields.

        A field that another release wrote is ignored; it is no error.
        """
        settings, unusable = self, set()
        for name, value in stored.items():
            field = name.decode(errors="replace")
            try:
                settings = self.model_validate(settings.model_dump() | {field: json.loads(value)})
            except ValueError:  # not JSON, an unknown field, or an invalid value
                unusable.add(field)
        return settings, frozenset(unusable)
