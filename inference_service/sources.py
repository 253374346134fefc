"""The registered sources, and the workers' consumer group on the crops stream of each."""

import time
from collections.abc import Mapping
from typing import Any

import redis
import structlog
from redis.exceptions import ResponseError

from contract import keys
from contract.errors import reason_of
from contract.messages import FORGOTTEN_MS, STATUS_TTL_MS, SourceStatus
from contract.redis.clock import RedisClock
from contract.redis.stored import StoredHash

POLL_SECONDS = 0.5
REFUSED_SECONDS = 5.0
"""How long a source is skipped after Redis refused a command for it, so that it does not delay the others."""
_FORGET = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
"""

logger = structlog.get_logger()


class Sources:
    """The sources whose crops can be read."""

    def __init__(self, commands: redis.Redis, clock: RedisClock) -> None:
        self._commands = commands
        self._clock = clock
        self._kinds: dict[str, str] = {}
        self._written: dict[bytes, bytes] = {}
        """The registry at the last poll."""
        self._stored = StoredHash(keys.SOURCES, SourceStatus, named_by="name")
        self._names: tuple[str, ...] = ()
        self._grouped: set[str] = set()
        self._refused: dict[str, float] = {}
        self._warned: set[str] = set()
        self._polled = float("-inf")

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are being captured or have crops left."""
        return self._names

    @property
    def grouped(self) -> tuple[str, ...]:
        """All in the registry whose crops stream has the group."""
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
        """Poll the registry at most every 0.5 s, and create missing groups."""
        now = time.monotonic()
        if now - self._polled < POLL_SECONDS:
            return
        statuses = self._statuses()
        if not self._stored.whole:
            self._polled = now
            return  # the sources that are known are served on
        self._kinds.update({name: status.kind for name, status in statuses.items()})
        candidates = self._with_work(statuses)
        self._forget({name: status for name, status in statuses.items() if name not in candidates})
        self._kinds = {name: kind for name, kind in self._kinds.items() if name in statuses or name in candidates}
        self._grouped &= self._kinds.keys()
        self._refused = {name: until for name, until in self._refused.items() if until > now}
        self._names = tuple(name for name in candidates if name not in self._refused and self._has_group(name))
        self._polled = now

    def forget_groups(self) -> None:
        """Redis reported a missing group: check all of them at the next `refresh`."""
        self._grouped.clear()
        self._polled = float("-inf")

    def refuse(self, name: str, error: ResponseError) -> None:
        """Skip a source for some seconds."""
        if name not in self._warned:
            logger.warning("redis refuses commands for this source, skipping it", source=name, error=reason_of(error))
            self._warned.add(name)
        self._refused[name] = time.monotonic() + REFUSED_SECONDS
        self._grouped.discard(name)  # so that all its keys are checked again before its crops are read
        self._names = tuple(other for other in self._names if other != name)

    def _statuses(self) -> dict[str, SourceStatus]:
        reply: Any
        try:
            reply = self._commands.hgetall(keys.SOURCES)
        except ResponseError as error:
            reply = error
        self._written = reply if isinstance(reply, dict) else {}
        return dict(sorted(self._stored.parse(reply).items()))

    def _with_work(self, statuses: Mapping[str, SourceStatus]) -> list[str]:
        """The sources that are being captured, and those that are not but still have crops."""
        oldest = self._clock.now_ms() - STATUS_TTL_MS
        fresh = {name for name, status in statuses.items() if status.seen_ms >= oldest}
        left = sorted(self._kinds.keys() - fresh)
        pipeline = self._commands.pipeline(transaction=False)
        for name in left:
            pipeline.xlen(keys.crops(name))
        # An error instead of a length means a key of another type, which `_has_group` reports.
        lengths = zip(left, pipeline.execute(raise_on_error=False), strict=True)
        return sorted(fresh | {name for name, length in lengths if length != 0})

    def _forget(self, idle: Mapping[str, SourceStatus]) -> None:
        """Remove the sources whose process has ended from the registry, unless it has just renewed them."""
        oldest_ms = self._clock.now_ms() - FORGOTTEN_MS
        if old := {name: status for name, status in idle.items() if status.seen_ms < oldest_ms}:
            seconds, _ = self._commands.time()  # it may have been set back since this process read it
            oldest_ms = int(seconds) * 1000 - FORGOTTEN_MS
        for name, status in old.items():
            if status.seen_ms >= oldest_ms:
                continue
            if self._commands.eval(_FORGET, 1, keys.SOURCES, name, self._written[name.encode()]):
                logger.info("source removed, its capture has ended", source=name, kind=status.kind)
                for key in keys.of_job(name) if status.kind == "job" else ():
                    self._commands.expire(key, keys.JOB_KEYS_SECONDS)

    def _has_group(self, name: str) -> bool:
        if name in self._grouped:
            return True
        try:
            self._commands.scard(keys.quarantined(name))  # fails if it is not a set, which claims need
            # Checked first: out of memory, Redis refuses to create a group even if it exists.
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
