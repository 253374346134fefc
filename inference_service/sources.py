"""The sources that there are, as their captures register them, and the workers' group on each."""

import time
from collections.abc import Mapping
from typing import Any

import redis
import structlog
from pydantic import ValidationError
from redis.exceptions import ResponseError

from contract import keys
from contract.errors import SourceError
from contract.messages import FORGOTTEN_MS, STATUS_TTL_MS, SourceStatus
from contract.redis.clock import RedisClock

LOOK_SECONDS = 0.5
REFUSED_SECONDS = 5.0
"""How long a source that Redis refuses to serve is left aside, so that it does not hold up the others."""
_FORGET = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
"""

logger = structlog.get_logger()


class Sources:
    """The sources whose crops can be read now."""

    def __init__(self, commands: redis.Redis, clock: RedisClock) -> None:
        self._commands = commands
        self._clock = clock
        self._kinds: dict[str, str] = {}
        self._written: dict[str, bytes] = {}
        """The registry as it was read last."""
        self._names: tuple[str, ...] = ()
        self._grouped: set[str] = set()
        self._refused: dict[str, float] = {}
        self._warned: set[str] = set()
        self._looked = float("-inf")

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are captured or have crops left."""
        return self._names

    @property
    def grouped(self) -> tuple[str, ...]:
        """All in the registry on whose crops stream the group was seen."""
        return tuple(sorted(self._grouped))

    @property
    def live(self) -> tuple[str, ...]:
        """Cameras and uploads."""
        return tuple(name for name in self._names if not self.is_job(name))

    @property
    def jobs(self) -> tuple[str, ...]:
        return tuple(name for name in self._names if self.is_job(name))

    def is_job(self, name: str) -> bool:
        return self._kinds.get(name) == "job"

    def refresh(self) -> None:
        """Look at the registry, unless that was done within the last 0.5 s; make the groups that are missing."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        statuses = self._statuses()
        self._kinds.update({name: status.kind for name, status in statuses.items()})
        candidates = self._with_work(statuses)
        self._forget({name: status for name, status in statuses.items() if name not in candidates})
        self._kinds = {name: kind for name, kind in self._kinds.items() if name in statuses or name in candidates}
        self._grouped &= self._kinds.keys()
        self._refused = {name: until for name, until in self._refused.items() if until > now}
        self._names = tuple(name for name in candidates if name not in self._refused and self._has_group(name))
        self._looked = now

    def forget_groups(self) -> None:
        """Redis says that a group is missing: look for all of them at the next `refresh`."""
        self._grouped.clear()
        self._looked = float("-inf")

    def refuse(self, name: str, error: ResponseError) -> None:
        """Leave a source aside for some seconds."""
        if name not in self._warned:
            logger.warning("redis refuses this source, leaving it aside", source=name, error=str(error))
            self._warned.add(name)
        self._refused[name] = time.monotonic() + REFUSED_SECONDS
        self._grouped.discard(name)  # so that all of it is looked at again before its crops are
        self._names = tuple(other for other in self._names if other != name)

    def _statuses(self) -> dict[str, SourceStatus]:
        raw: Any = self._commands.hgetall(keys.SOURCES)
        self._written = {field.decode(errors="replace"): value for field, value in raw.items()}
        statuses = {}
        for name, value in sorted(self._written.items()):
            try:
                statuses[keys.source_name(name)] = SourceStatus.model_validate_json(value)
            except (ValidationError, SourceError) as error:
                if name not in self._warned:
                    logger.warning("a source's status cannot be read", source=name[:40], error=str(error)[:200])
                    self._warned.add(name)
        return statuses

    def _with_work(self, statuses: Mapping[str, SourceStatus]) -> list[str]:
        """The sources that are captured now, and those that are not but left crops behind."""
        oldest = self._clock.now_ms() - STATUS_TTL_MS
        fresh = {name for name, status in statuses.items() if status.seen_ms >= oldest}
        left = sorted(self._kinds.keys() - fresh)
        pipeline = self._commands.pipeline(transaction=False)
        for name in left:
            pipeline.xlen(keys.crops(name))
        # An error as its length stands for a key of another type, which `_has_group` is to find.
        lengths = zip(left, pipeline.execute(raise_on_error=False), strict=True)
        return sorted(fresh | {name for name, length in lengths if length != 0})

    def _forget(self, idle: Mapping[str, SourceStatus]) -> None:
        """Take those out of the registry whose process is gone, unless it has just renewed them."""
        for name, status in idle.items():
            if status.seen_ms >= self._clock.now_ms() - FORGOTTEN_MS:
                continue
            if self._commands.eval(_FORGET, 1, keys.SOURCES, name, self._written[name]):
                logger.info("source forgotten, its capture is gone", source=name, kind=status.kind)
                for key in keys.of_job(name) if status.kind == "job" else ():
                    self._commands.expire(key, keys.JOB_KEYS_SECONDS)

    def _has_group(self, name: str) -> bool:
        if name in self._grouped:
            return True
        try:
            self._commands.scard(keys.quarantined(name))  # refused if it is not a set, which claims need
            # Looked for first: with Redis out of memory making one is refused even if it is there.
            if not self._group_exists(name):
                self._commands.xgroup_create(keys.crops(name), keys.INFERENCE_GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                self.refuse(name, error)
                return False
        self._grouped.add(name)
        self._warned.discard(name)
        return True

    def _group_exists(self, name: str) -> bool:
        try:
            groups = self._commands.xinfo_groups(keys.crops(name))
        except ResponseError as error:
            if "no such key" in str(error):
                return False
            raise
        return any(group["name"] == keys.INFERENCE_GROUP.encode() for group in groups)
