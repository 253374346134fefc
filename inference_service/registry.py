"""The registry of workers: this worker's status, and the removal of dead workers."""

import os
import socket
import time

import redis
import structlog
from redis.exceptions import ResponseError

from contract import keys
from contract.messages import STATUS_TTL_MS, WorkerStatus
from contract.redis.broker import is_wrong_type
from contract.redis.clock import RedisClock
from contract.redis.commit import remove_consumer
from contract.redis.stored import StoredHash
from inference_service.engines.engine import Engine

HEARTBEAT_SECONDS = 1.0
CLEANUP_SECONDS = 5.0
FORGET_MS = 2 * STATUS_TTL_MS
"""A status this old is removed from the registry; a worker that was only suspended writes it again."""

# HDEL first: Redis lets a script continue out of memory if its first write frees memory. A worker without a heartbeat
# would be considered dead while it drains the streams.
_HEARTBEAT = """
redis.call('HDEL', KEYS[1], ARGV[1])
return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
"""

logger = structlog.get_logger()


class Registry:
    """This worker's status in `emotii:workers`, and the removal of workers that have ended."""

    def __init__(self, commands: redis.Redis, clock: RedisClock, consumer: str, engine: Engine) -> None:
        self._commands = commands
        self._clock = clock
        self._consumer = consumer
        self._status = WorkerStatus(
            consumer=consumer,
            engine=engine.name,
            precision=engine.precision,
            model=engine.card.id,
            labels=engine.card.labels,
            seen_ms=0,
            host=socket.gethostname(),
            pid=os.getpid(),
        )
        self._stored = StoredHash(keys.WORKERS, WorkerStatus, named_by="consumer")
        self._sent = self._cleaned = float("-inf")

    def send_heartbeat(self, crops: int, metrics_port: int) -> None:
        """Renew the status about once a second."""
        if time.monotonic() - self._sent < HEARTBEAT_SECONDS:
            return
        changes = {"seen_ms": self._clock.now_ms(), "crops": crops, "metrics_port": metrics_port}
        status = self._status.model_copy(update=changes)
        self._sent = time.monotonic()
        try:
            self._commands.eval(_HEARTBEAT, 1, keys.WORKERS, self._consumer, status.model_dump_json())
        except ResponseError as error:
            if not is_wrong_type(error):
                raise
            self._live_workers()  # logs it; this worker still classifies, though nobody sees it in the registry

    def remove_dead_consumers(self, sources: tuple[str, ...], idle_ms: int) -> None:
        """About every 5 s, remove consumers that have no live worker, no pending entry, and were idle for `idle_ms`."""
        if time.monotonic() - self._cleaned < CLEANUP_SECONDS:
            return
        live = self._live_workers()
        self._cleaned = time.monotonic()
        if not self._stored.whole:
            return
        for source in sources:
            for name in self._idle_consumers(source, idle_ms) - live:
                if remove_consumer(self._commands, source, name):
                    logger.info("dead worker's consumer removed", source=source, consumer=name)

    def deregister(self, sources: tuple[str, ...]) -> None:
        """Remove this worker from the registry, and from every group in which it has no pending entry."""
        for source in sources:
            remove_consumer(self._commands, source, self._consumer)
        try:
            self._commands.hdel(keys.WORKERS, self._consumer)
        except ResponseError as error:
            if not is_wrong_type(error):
                raise

    def _idle_consumers(self, source: str, idle_ms: int) -> set[str]:
        try:
            consumers = self._commands.xinfo_consumers(keys.crops(source), keys.INFERENCE_GROUP)
        except ResponseError:
            return set()  # the group is missing; the next read fails with NOGROUP and creates it
        return {one["name"].decode() for one in consumers if one["idle"] > idle_ms and not one["pending"]}

    def _live_workers(self) -> set[str]:
        now = self._clock.now_ms()
        live = {self._consumer}
        for name, status in self._stored.read(self._commands).items():
            age = now - status.seen_ms
            if age > FORGET_MS:
                self._commands.hdel(keys.WORKERS, name)
            if age <= STATUS_TTL_MS:
                live.add(name)
        return live | self._stored.ignored  # workers of another release, which this one must not remove
