"""The settings that people change while the system runs, read from Redis."""

import json
from typing import Any, cast

import redis.asyncio
import structlog

from contract import keys
from contract.redis.broker import outages_named
from contract.runtime_settings import Blur, RuntimeSettings

logger = structlog.get_logger()


class RuntimeSettingsReader:
    """Follows what people change, here or through another gateway.

    Args:
        client: for commands.
        defaults: what holds for all that nobody has changed.
    """

    def __init__(self, client: redis.asyncio.Redis, defaults: RuntimeSettings) -> None:
        self._client = client
        self._defaults = defaults
        self._useless: frozenset[str] = frozenset()
        self.current = defaults
        self.known = False
        """Whether they were read: until then nobody knows which faces people want hidden."""

    def least_blur(self) -> Blur:
        """How faces are to be hidden at least; as much as possible while that is not known."""
        return self.current.blur if self.known else "mask"

    async def poll(self) -> None:
        """Read the settings.

        Raises:
            redis.RedisError: Redis is unreachable; the settings stay as they were.
        """
        stored = cast(dict[bytes, bytes], await self._client.hgetall(keys.SETTINGS))
        self.current, useless = self._defaults.changed_by(stored)
        if news := useless - self._useless:
            logger.warning("unusable settings in redis ignored", settings=sorted(news))
        self._useless = useless
        self.known = True

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
            await self.poll()
        return self.current
