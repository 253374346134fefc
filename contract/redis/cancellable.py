"""Connections whose tasks can be cancelled at any moment.

redis-py sends with `asyncio.wait_for`. Before Python 3.12 that drops a cancellation which comes as the sending ends
(https://github.com/python/cpython/issues/86296): the task goes on, and a caller that awaits its end waits for ever.
"""

import asyncio
import sys
from collections.abc import Iterable

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import TimeoutError as RedisTimeoutError


def cancellable(connection: type[AbstractConnection]) -> type[AbstractConnection]:
    """This class of connections, with the sending corrected for Python before 3.12."""
    if sys.version_info >= (3, 12):
        return connection
    return type(connection.__name__, (_Sending, connection), {})


class _Sending(AbstractConnection):
    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        """As in redis-py, with a time-out that does not drop cancellations."""
        timeout, self.socket_timeout = self.socket_timeout, None  # without one redis-py does not call `wait_for`
        try:
            async with asyncio.timeout(timeout):
                await super().send_packed_command(command, check_health)
        except TimeoutError:
            raise RedisTimeoutError("Timeout writing to socket") from None
        finally:
            self.socket_timeout = timeout
