"""Keeps the private server serving while its disk is full: live sources need no disk.

A server with an append-only file refuses every write while it cannot write that file. So on a full disk the guard turns
the file off, and says so in Redis, where the gateways read it: what changes meanwhile does not survive the server. When
there is room again, the guard turns the file on, and the server writes all that it holds into a new one.
"""

import shutil
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

import redis
import structlog
from redis.exceptions import RedisError

from contract import keys

logger = structlog.get_logger(__name__)
POLL_SECONDS = 0.5
RETRY_SECONDS = 5.0
TTL_SECONDS = 5
LEAST_ROOM_BYTES = 1 << 20
REASON = "the disk of EMOTII_DATA is full: until there is room, what Redis holds is not stored on the disk"


class DiskGuard:
    """Watches one server.

    Args:
        url: of the server.
        data: its folder.
    """

    def __init__(self, url: str, data: Path) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=5)
        self._data = data
        self._resuming = False
        """Whether the file is on again, but does not hold everything yet."""
        self._resting = False
        self._retry_at = 0.0

    def start(self, stop: Event) -> None:
        """Watch on a thread until `stop` is set."""
        Thread(target=self._run, args=[stop], name="disk-guard", daemon=True).start()

    def poll(self) -> None:
        """Turn the file off or on, if that is due.

        Raises:
            RedisError: the server cannot be reached; the supervisor starts it again.
        """
        about: dict[str, Any] = self._client.info("persistence")
        fails = about["aof_last_write_status"] != "ok"
        if about["aof_enabled"] and not fails and not self._resuming:
            self._set_resting(False)  # also after a restart of the server
        elif not about["aof_enabled"]:
            self._publish()
            if time.monotonic() >= self._retry_at and self._has_room():
                self._resume()
        elif fails:
            self._rest()
        elif about["aof_rewrite_in_progress"] or about["aof_rewrite_scheduled"]:
            self._publish()
        elif about["aof_last_bgrewrite_status"] != "ok":
            self._rest()
        else:
            self._resuming = False

    def _run(self, stop: Event) -> None:
        while not stop.wait(POLL_SECONDS):
            try:
                self.poll()
            except (RedisError, OSError) as error:
                logger.debug("the disk guard waits for the server", error=repr(error))
        self._client.close()

    def _rest(self) -> None:
        self._client.config_set("appendonly", "no")
        self._resuming = False
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._set_resting(True)
        self._publish()

    def _resume(self) -> None:
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._client.config_set("appendonly", "yes")
        self._resuming = True

    def _publish(self) -> None:
        self._client.set(keys.NOT_DURABLE, REASON, ex=TTL_SECONDS)

    def _set_resting(self, resting: bool) -> None:
        if resting and not self._resting:
            logger.warning("disk full, redis goes on without its append-only file", folder=str(self._data))
        if self._resting and not resting:
            self._client.delete(keys.NOT_DURABLE)
            logger.warning("redis writes its append-only file again", folder=str(self._data))
        self._resting = resting

    def _has_room(self) -> bool:
        """Whether a new file with everything that the server holds is likely to fit."""
        held: dict[str, Any] = self._client.info("memory")
        return shutil.disk_usage(self._data).free > 2 * int(held["used_memory_dataset"]) + LEAST_ROOM_BYTES
