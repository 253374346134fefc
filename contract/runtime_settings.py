"""What people switch while the system runs: kept in Redis, so that every gateway follows and it survives restarts."""

import json
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

Blur = Literal["off", "blur", "mask"]
"""What is done to faces in video, each stronger than the one before."""


class RuntimeSettings(BaseModel):
    """The settings of `keys.SETTINGS`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    saving: bool
    """Save faces by itself."""
    blur: Blur = "off"
    """The least that is done to faces in every video."""

    def changed_by(self, stored: Mapping[bytes, bytes]) -> tuple[Self, frozenset[str]]:
        """These with what Redis holds (field -> JSON) in their place, and the names of stored fields that are no use.

        A field that another release wrote is passed over, not an error.
        """
        settings, useless = self, set()
        for name, value in stored.items():
            field = name.decode(errors="replace")
            try:
                settings = self.model_validate(settings.model_dump() | {field: json.loads(value)})
            except ValueError:  # no JSON, no such field, or no value for it
                useless.add(field)
        return settings, frozenset(useless)
