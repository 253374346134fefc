"""The settings that people change while the system runs, as Redis holds them, within the bounds of the environment."""

from collections.abc import Callable
from typing import Any, cast

import redis.asyncio
import structlog
from redis.exceptions import ResponseError

from api_gateway.settings_copy import SettingsCopy
from contract import events, keys
from contract.errors import BrokerUnavailable, EmotiiError
from contract.redis.broker import is_wrong_type, outages_named
from contract.runtime_settings import REVISION, STORE, STRICTEST, Blur, Choice, RuntimeSettings, StoredChoice

logger = structlog.get_logger()
ATTEMPTS = 5
MOST_NAMED = 10
"""Unusable fields that a log line names."""
VARIABLES = {"saving": "EMOTII_SAVING_ALLOWED", "blur": "EMOTII_MIN_BLUR"}
"""That bound a setting."""


class FixedSetting(EmotiiError):  # noqa: N818 - what is the case
    """The environment of the gateway does not allow this value."""


class RuntimeSettingsReader:
    """Follows what people change, here or through another gateway; what Redis loses stays in force and is written back.

    Args:
        client: for commands.
        defaults: what holds for all that nobody has changed.
        bound: the loosest values that the environment allows.
        copy: of the choice on this gateway's disk, for a start while Redis is empty.
        on_restored: called with what was written back, and its values, after Redis had lost it.
    """

    def __init__(
        self,
        client: redis.asyncio.Redis,
        defaults: RuntimeSettings,
        bound: RuntimeSettings,
        copy: SettingsCopy,
        on_restored: Callable[..., None],
    ) -> None:
        self._client = client
        self._defaults = defaults
        self.bound = bound
        self._copy = copy
        self._on_restored = on_restored
        self._unusable: frozenset[str] = frozenset()
        self._known: Choice | None = None
        """The last choice that this gateway knew; None before the first poll, where there is no copy."""
        self._only_copied = False
        """Whether it is known from the copy alone, which may be as old as the last run of this gateway."""
        self._stored_revision = b""
        self.current = STRICTEST
        """In force now: the strictest until it is known what people want."""

    def least_blur(self) -> Blur:
        """How faces are to be hidden at least."""
        return self.current.blur

    def check_saving_allowed(self) -> None:
        """Check that a face may be saved on request.

        Raises:
            FixedSetting: the environment allows no saving.
        """
        if not self.bound.saving:
            raise _fixed("saving")

    def event(self) -> events.Settings:
        """What holds, and what the environment allows."""
        bound = self.bound
        return events.Settings(**self.current.model_dump(), saving_allowed=bound.saving, min_blur=bound.blur)

    async def poll(self) -> None:
        """Read the settings, and write them back if Redis has lost them.

        Raises:
            redis.RedisError: Redis is unreachable; the settings stay as they were.
        """
        if self._known is None and (copied := await self._copy.read()):
            self._known, self._only_copied = copied, True
        stored = await self._read()
        self._stored_revision = stored.revision
        known = self._known
        if known is None and not stored.damaged:
            await self._follow(stored.choice)
        elif known is None or stored.damaged or self._is_lost(known, stored.choice):
            await self._restore(known, stored)
        else:
            await self._follow(stored.choice)

    async def change(self, **changes: bool | str) -> RuntimeSettings:
        """Store these settings, which hold here at once and in every other gateway within half a second.

        Raises:
            FixedSetting: the environment does not allow one of them.
            BrokerUnavailable: Redis cannot be reached.
        """
        for name, value in changes.items():
            wanted = self.bound.model_copy(update={name: value})
            if wanted.at_least(self.bound) != wanted:
                raise _fixed(name)
        with outages_named():
            await self.poll()
            for _ in range(ATTEMPTS if changes else 0):
                changed = (self._known or Choice()).changed(changes)
                if await self._store(changed):
                    logger.info("settings changed", **changes)
                    await self._follow(changed)
                    return self.current
                await self.poll()  # another gateway was faster
        if changes:
            raise BrokerUnavailable("the settings change all the time")
        return self.current

    async def _read(self) -> StoredChoice:
        try:
            fields = cast(dict[bytes, bytes], await self._client.hgetall(keys.SETTINGS))
            stored = StoredChoice.read(fields)
        except ResponseError as error:
            if not is_wrong_type(error):
                raise
            stored = StoredChoice(Choice(), frozenset({REVISION}), b"")
        if news := stored.unusable - self._unusable:
            named = sorted(news)[:MOST_NAMED]
            logger.warning("unusable settings in redis ignored", settings=named, count=len(news))
        self._unusable = stored.unusable
        return stored

    def _is_lost(self, known: Choice, stored: Choice) -> bool:
        """Whether this gateway knows a later choice than Redis, or the same revision with looser values."""
        if stored.revision != known.revision or stored.same_as(known):
            return stored.revision < known.revision
        looser = stored.over(self._defaults)
        return looser.at_least(known.over(self._defaults)) != looser

    async def _restore(self, known: Choice | None, stored: StoredChoice) -> None:
        """Apply the stricter of what is known and what is stored, and store it."""
        if known is None:  # nothing is known, and what is stored is damaged
            damaged = {name: getattr(STRICTEST, name) for name in stored.unusable & RuntimeSettings.model_fields.keys()}
            known = Choice(**damaged) if damaged else Choice.model_validate(STRICTEST.model_dump())
        restored = known.merged(stored.choice, self._defaults)
        if self._only_copied:
            restored = restored.no_looser_than(self._defaults)
        await self._follow(restored)
        if await self._store(restored):
            settings = restored.over(self._defaults).model_dump()
            self._on_restored("settings", **settings)

    async def _store(self, choice: Choice) -> bool:
        """Store the choice; False if Redis holds another one than this gateway has read last."""
        fields: list[Any] = [part for field in choice.fields().items() for part in field]
        stored = await self._client.eval(STORE, 1, keys.SETTINGS, REVISION, self._stored_revision, *fields)
        if stored:
            self._stored_revision = choice.fields()[REVISION].encode()
        return bool(stored)

    async def _follow(self, choice: Choice) -> None:
        self._known, self._only_copied = choice, False
        self.current = choice.over(self._defaults).at_least(self.bound)
        await self._copy.write(choice)


def _fixed(name: str) -> FixedSetting:
    what = "faces may not be saved" if name == "saving" else "faces may not be hidden less"
    return FixedSetting(f"{what}: {VARIABLES[name]} of the gateway fixes this")
