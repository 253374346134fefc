"""Connections to Redis: the one place that makes them, and the one place that defines an outage.

A process holds two clients. `commands` responds fast or fails. `blocking` waits on streams; one thread uses it alone,
since a blocked connection would delay all other commands.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from contract.errors import BrokerUnavailable, SettingsError, reason_of
from contract.redis.cancellable import cancellable

BLOCK_MS = 500
"""The longest wait of a blocking read; short, so that a new source or a stop is noticed soon."""

OUTAGES = (
    redis.exceptions.ConnectionError,  # also LOADING and a refused password
    redis.exceptions.TimeoutError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
    redis.exceptions.MasterDownError,
    redis.exceptions.ClusterError,
    redis.exceptions.AskError,  # also MOVED: the server is part of a cluster, maybe only for now
    redis.exceptions.NoPermissionError,  # as a refused password: a person has to correct it
    redis.exceptions.InvalidResponse,  # the server is not Redis
    OSError,
)
WRONG_TYPE = "WRONGTYPE"
"""How Redis's error begins for a command on a key of another type."""
_CANNOT_SERVE = (
    *("MISCONF", "NOREPLICAS", "BUSY ", "CLUSTERDOWN", "TRYAGAIN"),
    # A person has to correct these, as a refused password. They are stored, so a process that ended would end again.
    *(WRONG_TYPE, "The stream has exhausted the last possible ID", "Invalid stream ID"),
)
"""How errors begin for which redis-py has no class and which a later attempt may not meet, as a full disk (MISCONF)."""
_IN_PIPELINE = re.compile(r"Command # \d+ \((\S+)(?: (\S+))?.*?\) of pipeline caused error: ", re.DOTALL)
"""What redis-py puts before the message of the server: the command with its arguments, which may be pixels."""

_NO_URL = (
    "EMOTII_REDIS_URL: not a URL of Redis: write redis://host:6379/0, rediss://... or unix:///path; in a password, "
    "percent-encode / @ : # ? and %"
)

_COMMANDS: dict[str, Any] = {"socket_timeout": 2.0, "socket_connect_timeout": 2.0}
# Much longer than BLOCK_MS: a time-out would drop a reply that Redis has already counted as delivered.
_BLOCKING: dict[str, Any] = {"socket_timeout": BLOCK_MS / 1000 + 4.0, "socket_connect_timeout": 2.0}


@dataclass(frozen=True)
class Clients:
    """The two clients of a process."""

    commands: redis.Redis
    blocking: redis.Redis

    def close(self) -> None:
        self.commands.close()
        self.blocking.close()


@dataclass(frozen=True)
class AsyncClients:
    """The two clients of a process that runs on asyncio."""

    commands: redis.asyncio.Redis
    blocking: redis.asyncio.Redis

    async def close(self) -> None:
        await self.commands.aclose()
        await self.blocking.aclose()


def connect(url: str, name: str) -> Clients:
    """The clients for `url` (redis://, rediss:// or unix://), called `name` in CLIENT LIST. Opens no connection yet.

    Raises:
        SettingsError: the URL is not valid.
    """
    backoff = ExponentialWithJitterBackoff(base=0.02, cap=0.2)
    with _readable_url():
        return Clients(
            redis.Redis.from_url(url, retry=Retry(backoff, retries=2), **_options(name), **_COMMANDS),
            redis.Redis.from_url(url, retry=Retry(backoff, retries=0), **_options(f"{name}-blocking"), **_BLOCKING),
        )


def connect_async(url: str, name: str) -> AsyncClients:
    """As `connect`, for asyncio."""
    backoff = ExponentialWithJitterBackoff(base=0.02, cap=0.2)
    client = redis.asyncio.Redis.from_url
    with _readable_url():
        clients = AsyncClients(
            client(url, retry=AsyncRetry(backoff, retries=2), **_options(name), **_COMMANDS),
            client(url, retry=AsyncRetry(backoff, retries=0), **_options(f"{name}-blocking"), **_BLOCKING),
        )
    for one in (clients.commands, clients.blocking):
        pool = one.connection_pool
        pool.connection_class = cancellable(pool.connection_class)
    return clients


@contextmanager
def outages_named() -> Iterator[None]:
    """Raise `BrokerUnavailable` in place of an error of redis-py that means an outage; other errors pass unchanged."""
    try:
        yield
    except OUTAGES as error:
        raise BrokerUnavailable(f"{type(error).__name__}: {reason_of(error)}") from error
    except ResponseError as error:
        message = _IN_PIPELINE.sub("", str(error), count=1)
        if not message.startswith(_CANNOT_SERVE):
            raise
        if command := _IN_PIPELINE.match(str(error)):
            message += f" ({' '.join(filter(None, command.groups()))})"
        raise BrokerUnavailable(message) from error


def is_wrong_type(error: object) -> bool:
    """Whether a key has another type than the command is for."""
    return isinstance(error, ResponseError) and _IN_PIPELINE.sub("", str(error), count=1).startswith(WRONG_TYPE)


class Backoff:
    """Growing, jittered pauses between attempts; `reset` after a success."""

    def __init__(self, first_seconds: float = 0.1, longest_seconds: float = 5.0) -> None:
        self._jitter = ExponentialWithJitterBackoff(base=first_seconds, cap=longest_seconds)
        self._first_seconds = first_seconds
        self._failures = 0

    def next(self) -> float:
        """The seconds to wait before the next attempt; at least `first_seconds`, so that no loop is busy."""
        self._failures += 1
        return max(self._first_seconds, float(self._jitter.compute(self._failures)))

    def reset(self) -> None:
        self._failures = 0


def _options(name: str) -> dict[str, Any]:
    return {"client_name": name, "protocol": 2, "health_check_interval": 0}


@contextmanager
def _readable_url() -> Iterator[None]:
    try:
        yield
    except (ValueError, RedisError):
        # The parser's own message may quote the password of the URL.
        raise SettingsError(_NO_URL) from None
