"""Settings that people change while the system runs: kept in Redis, followed by every gateway, kept over restarts.

What Redis has lost is not thereby permitted. Each change has a revision, one higher than that before. So a process that
knew a later revision than the stored one knows that Redis lost something, and not that somebody switched it off.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field

Blur = Literal["off", "blur", "mask"]
"""How faces in video are hidden, from the weakest to the strongest."""
REVISION = "revision"
"""The field of `keys.SETTINGS` that holds the revision; the others have the names of the settings."""
HIGHEST_REVISION = 2**53
"""It stays: a higher one could not be read, and would be restored for ever. No number of changes reaches it."""
STORE = """
if (redis.call('TYPE', KEYS[1]).ok ~= 'hash') then redis.call('DEL', KEYS[1]) end
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
return 1
"""
"""EVAL over `keys.SETTINGS`: the name of the field of the revision, its expected value, and the fields to write. It
returns 0 and writes nothing if another process was faster."""


class RuntimeSettings(BaseModel):
    """The settings in force."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    saving: bool
    """Save faces automatically."""
    blur: Blur = "off"
    """The least blur of every video."""

    def at_least(self, bound: "RuntimeSettings") -> Self:
        """These settings, where `bound` is stricter with its value."""
        stricter = {name: _stricter(getattr(self, name), getattr(bound, name)) for name in RuntimeSettings.model_fields}
        return self.model_copy(update=stricter)


STRICTEST = RuntimeSettings(saving=False, blur="mask")
"""In force while nobody knows what people have chosen."""


class Choice(BaseModel):
    """What people have chosen; None: nobody has changed it."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    revision: Annotated[int, Field(ge=0, le=HIGHEST_REVISION)] = 0
    saving: bool | None = None
    blur: Blur | None = None

    def over(self, defaults: RuntimeSettings) -> RuntimeSettings:
        """The settings, with the defaults of what nobody has chosen."""
        return defaults.model_copy(update=self._chosen())

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """The next revision, with these changes."""
        return self.model_copy(update={**changes, REVISION: min(self.revision + 1, HIGHEST_REVISION)})

    def merged(self, stored: "Choice", defaults: RuntimeSettings) -> Self:
        """What holds if neither this choice nor the stored one can be trusted to be the last: the stricter of both."""
        found = stored.no_looser_than(self.over(defaults))
        chosen = self.no_looser_than(found.over(self.over(defaults)))
        revision = min(max(self.revision, stored.revision) + 1, HIGHEST_REVISION)
        return chosen.model_copy(update={**found._chosen(), **chosen._chosen(), REVISION: revision})

    def no_looser_than(self, bound: RuntimeSettings) -> Self:
        """The same choice, where `bound` is stricter with its value."""
        chosen = self._chosen().items()
        return self.model_copy(update={name: _stricter(value, getattr(bound, name)) for name, value in chosen})

    def same_as(self, other: "Choice") -> bool:
        """Whether the same was chosen, whatever the revision."""
        return self._chosen() == other._chosen()

    def fields(self) -> dict[str, str]:
        """As fields of `keys.SETTINGS`."""
        return {name: json.dumps(value) for name, value in {**self._chosen(), REVISION: self.revision}.items()}

    def _chosen(self) -> dict[str, Any]:
        return self.model_dump(exclude={REVISION}, exclude_none=True)


@dataclass(frozen=True)
class StoredChoice:
    """What Redis holds of the choice."""

    choice: Choice
    """Of the fields that can be used."""
    unusable: frozenset[str]
    """Names of the others."""
    revision: bytes
    """The field of the revision as it is stored, for `STORE`; empty if there is none."""

    @classmethod
    def read(cls, stored: Mapping[bytes, bytes]) -> Self:
        """From the fields of `keys.SETTINGS`. A field of another release is unusable, and no error."""
        choice, unusable = Choice(), set()
        for name, value in stored.items():
            field = name[:64].decode(errors="replace")
            try:
                if field not in Choice.model_fields:
                    raise ValueError(field)
                choice = Choice.model_validate(choice.model_dump() | {field: json.loads(value)})
            except (ValueError, RecursionError):  # not JSON, too deep, an unknown field, or an invalid value
                unusable.add(field)
        return cls(choice, frozenset(unusable), stored.get(REVISION.encode(), b""))

    @property
    def damaged(self) -> bool:
        """Whether something is unusable that people have chosen."""
        return bool(self.unusable & Choice.model_fields.keys())


def _stricter(one: Any, other: Any) -> Any:  # noqa: ANN401 - of the one type, or of the other
    if isinstance(one, bool):
        return one and other
    return max(one, other, key=get_args(Blur).index)
