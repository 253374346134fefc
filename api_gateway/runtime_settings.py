"""The product settings, as they stand in Redis now."""

import asyncio
import json
from typing import Any, cast

import redis.asyncio
import structlog

from contract import keys
from contract.redis.broker import outages_named
from contract.runtime_settings import RuntimeSettings

logger = structlog.get_logger()
POLL_SECONDS = 0.5


class RuntimeSettingsReader:
    """Follows what people switch, here or through another gateway.

    Args:
        client: for commands.
        defaults: what holds for all that nobody has changed.
    """

    def __init__(self, client: redis.asyncio.Redis, defaults: RuntimeSettings) -> None:
        self._client = client
        self._defaults = defaults
        self._useless: frozenset[str] = frozenset()
        self.settings = defaults
        self.known = False
        """Whether they were read: until then nobody knows what people want hidden."""

    async def look(self) -> None:
        """Read the settings, then wait until the next look is due."""
        await self._read()
        await asyncio.sleep(POLL_SECONDS)

    async def change(self, **changes: bool | str) -> RuntimeSettings:
        """Store these settings, which hold here at once and in every other gateway within half a second.

        Raises:
            BrokerUnavailable: Redis cannot be reached.
        """
        with outages_named():
            if changes:
                stored: dict[Any, Any] = {name: json.dumps(value) for name, value in changes.items()}
                await self._client.hset(keys.SETTINGS, mapping=stored)
                logger.info("settings changed", **changes)
            await self._read()
        return self.settings

    async def _read(self) -> None:
        stored = cast(dict[bytes, bytes], await self._client.hgetall(keys.SETTINGS))
        self.settings, useless = self._defaults.changed_by(stored)
        if news := useless - self._useless:
            logger.warning("settings in redis that are no use are passed over", settings=sorted(news))
        self._useless = useless
        self.known = True
