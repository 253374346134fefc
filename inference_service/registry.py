"""The workers that there are, this one among them."""

import os
import socket
import time
from typing import Any

import redis
import structlog
from pydantic import ValidationError
from redis.exceptions import ResponseError

from contract import keys
from contract.messages import STATUS_TTL_MS, WorkerStatus
from contract.model.folder import ModelCard
from contract.redis.clock import RedisClock
from contract.redis.commit import remove_consumer

BEAT_SECONDS = 1.0
SWEEP_SECONDS = 5.0
FORGET_MS = 2 * STATUS_TTL_MS
"""A status this old is taken out of the registry; a worker that was only frozen writes it again."""

# HDEL first: after a first write that frees memory, Redis lets a script go on even when it is out of memory. A worker
# that could not say that it lives would be taken for dead just when it drains.
_BEAT = """
redis.call('HDEL', KEYS[1], ARGV[1])
return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
"""

logger = structlog.get_logger()


class Registry:
    """This worker's status in `emotii:workers`, and the removal of workers that are gone."""

    def __init__(self, commands: redis.Redis, clock: RedisClock, consumer: str, engine: str, card: ModelCard) -> None:
        self._commands = commands
        self._clock = clock
        self._consumer = consumer
        self._status = WorkerStatus(
            consumer=consumer,
            engine=engine,
            model=card.id,
            labels=card.labels,
            seen_ms=0,
            host=socket.gethostname(),
            pid=os.getpid(),
        )
        self._beaten = self._swept = float("-inf")

    def beat(self, crops: int, metrics_port: int) -> None:
        """Renew the status, about once a second."""
        if time.monotonic() - self._beaten < BEAT_SECONDS:
            return
        changes = {"seen_ms": self._clock.now_ms(), "crops": crops, "metrics_port": metrics_port}
        status = self._status.model_copy(update=changes)
        self._commands.eval(_BEAT, 1, keys.WORKERS, self._consumer, status.model_dump_json())
        self._beaten = time.monotonic()

    def sweep(self, sources: tuple[str, ...], idle_ms: int) -> None:
        """Every 5 s or so, remove consumers without a living worker that were idle for so long and hold nothing."""
        if time.monotonic() - self._swept < SWEEP_SECONDS:
            return
        living = self._living()
        self._swept = time.monotonic()
        for source in sources:
            for name in self._idle_consumers(source, idle_ms) - living:
                if remove_consumer(self._commands, source, name):
                    logger.info("dead worker's consumer removed", source=source, consumer=name)

    def leave(self, sources: tuple[str, ...]) -> None:
        """Take this worker out of the registry and out of every group in which it holds nothing."""
        for source in sources:
            remove_consumer(self._commands, source, self._consumer)
        self._commands.hdel(keys.WORKERS, self._consumer)

    def _idle_consumers(self, source: str, idle_ms: int) -> set[str]:
        try:
            consumers = self._commands.xinfo_consumers(keys.crops(source), keys.INFERENCE_GROUP)
        except ResponseError:
            return set()  # the group is gone; the next read will say so, and there it is mended
        return {one["name"].decode() for one in consumers if one["idle"] > idle_ms and not one["pending"]}

    def _living(self) -> set[str]:
        now = self._clock.now_ms()
        living = {self._consumer}
        statuses: Any = self._commands.hgetall(keys.WORKERS)
        for field, value in statuses.items():
            try:
                age = now - WorkerStatus.model_validate_json(value).seen_ms
            except ValidationError:
                age = 0  # another release's worker: not ours to judge
            if age > FORGET_MS:
                self._commands.hdel(keys.WORKERS, field)
            if age <= STATUS_TTL_MS:
                living.add(field.decode())
        return living
