"""The sources and workers, as they last reported themselves."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import redis.asyncio
import structlog

from api_gateway.sources.errors import NotReady, UnknownSource
from contract import keys
from contract.messages import FORGOTTEN_MS, STATUS_TTL_MS, SourceStatus, WorkerStatus
from contract.redis.clock import RedisClock
from contract.redis.heartbeats import Heartbeats
from contract.redis.stored import StoredHash, entry_ms

logger = structlog.get_logger()
CLOCK_STEP_MS = 1000


class Registry:
    """The registries in Redis, polled twice a second.

    Args:
        client: for commands.
        clock: Redis's; the registry keeps it synchronised.
        on_change: called with a source's status whenever its state, reason or warning has changed.
        on_gone: called with the name of a source that no longer exists.
        refusal: returns why Redis refuses every write, so that no process can report itself; empty if it does not.
    """

    def __init__(
        self,
        client: redis.asyncio.Redis,
        clock: RedisClock,
        on_change: Callable[[SourceStatus], None],
        on_gone: Callable[[str], None],
        refusal: Callable[[], str] = str,
    ) -> None:
        self._client = client
        self._clock = clock
        self._on_change = on_change
        self._on_gone = on_gone
        self._refusal = refusal
        self._sources: dict[str, SourceStatus] = {}
        self._workers: dict[str, WorkerStatus] = {}
        self._published: dict[str, tuple[str, str, str]] = {}
        """By source: the state, reason and warning that were published last."""
        self._source_heartbeats, self._worker_heartbeats = Heartbeats(), Heartbeats()
        self._first: dict[str, tuple[bytes, float]] = {}
        """By source: the first entry of its crops stream, and when it was first seen there."""
        self._stored_sources = StoredHash(keys.SOURCES, SourceStatus, named_by="name")
        self._stored_workers = StoredHash(keys.WORKERS, WorkerStatus, named_by="consumer")
        self._polled_ms = self._unheard_until_ms = 0
        self.reachable = False
        """Whether the last poll succeeded."""
        self.backlog: dict[str, int] = {}
        """By source: the number of crops that no worker has finished."""
        self.waiting_ms: dict[str, int] = {}
        """By source: how long the oldest of them had been waiting at the last poll."""

    async def poll(self) -> None:
        """Read both registries."""
        try:
            await self._read()
            self.reachable = True
        except Exception:
            self.reachable = False
            raise
        finally:
            self._publish_changes()

    def sources(self) -> list[SourceStatus]:
        """Every source in its order; those that reported nothing for 5 s come last, and are OFFLINE."""
        in_order = sorted(self._sources.values(), key=lambda s: (not self.is_alive(s), s.order, s.name))
        return [self._as_of_now(status) for status in in_order]

    def workers(self) -> list[WorkerStatus]:
        """The workers that are alive."""
        now_ms, age_ms = self._clock.now_ms(), self._worker_heartbeats.age_ms
        return [one for name, one in self._workers.items() if age_ms(name, one.seen_ms, now_ms) <= STATUS_TTL_MS]

    def find(self, name: str) -> SourceStatus | None:
        """The source of this name; None if there is none. Called for every reading and picture, so it is cheap."""
        status = self._sources.get(name)
        return status and self._as_of_now(status)

    def source(self, name: str) -> SourceStatus:
        """The source of this name.

        Raises:
            UnknownSource: there is none; the message lists the sources.
        """
        if (status := self.find(name)) is not None:
            return status
        names = ", ".join(status.name for status in self.sources()) or "none yet"
        raise UnknownSource(f"no source {name[:40]!r}; there are: {names}")

    def chosen(self, name: str | None) -> str | None:
        """`name` if there is such a source; for None the first camera, or None if there is none yet.

        Raises:
            UnknownSource: there is no source of that name.
        """
        if name is not None:
            return self.source(name).name
        return next((status.name for status in self.sources() if status.kind == "camera"), None)

    def check_ready(self) -> None:
        """Check that pictures can be captured and classified now.

        Raises:
            NotReady: Redis, a worker or a capture service is missing.
        """
        missing = []
        if not self.reachable:
            missing = ["redis"]
        elif refusal := self._refusal():
            missing = [refusal]
        else:
            if not self.workers():
                missing.append("a worker")
            if not any(map(self.is_alive, self.sources())):
                missing.append("a capture")
        if missing:
            raise NotReady("missing: " + ", ".join(missing))

    async def _read(self) -> None:
        await self._clock.refresh_async(self._client)
        pipeline = self._client.pipeline(transaction=False)
        pipeline.time()
        pipeline.hgetall(keys.SOURCES)
        pipeline.hgetall(keys.WORKERS)
        names = list(self._sources)
        for name in names:
            pipeline.xlen(keys.crops(name))
            pipeline.xrange(keys.crops(name), count=1)
        # A crops key of another type gives an error in the place of its length: that source has no backlog.
        time_, sources, workers, *crops = await pipeline.execute(raise_on_error=False)
        await self._follow_clock(time_)
        found = self._stored_sources.parse(sources)
        self._source_heartbeats.hear([(name, status.seen_ms) for name, status in found.items()])
        self._sources = self._remembered(found)
        self._workers = self._stored_workers.parse(workers)
        self._worker_heartbeats.hear([(name, status.seen_ms) for name, status in self._workers.items()])
        self._count_crops(dict(zip(names, zip(crops[::2], crops[1::2], strict=True), strict=True)))

    async def _follow_clock(self, reply: Any) -> None:  # noqa: ANN401 - a reply of Redis, or an error
        """Read Redis's clock at once if it was set, since all that follows compares times of this reply with it."""
        if isinstance(reply, Exception):
            raise reply
        if abs(reply[0] * 1000 + reply[1] // 1000 - self._clock.now_ms()) > CLOCK_STEP_MS:
            await self._clock.refresh_async(self._client, now=True)

    def _count_crops(self, found: Mapping[str, tuple[Any, Any]]) -> None:
        """Store the length and the age of the first entry of each crops stream; both can be an error instead."""
        now_ms = self._clock.now_ms()
        self.backlog = {name: length for name, (length, _) in found.items() if isinstance(length, int)}
        first = {name: entries[0][0] for name, (_, entries) in found.items() if isinstance(entries, list) and entries}
        now = time.monotonic()
        known = self._first
        self._first = {
            name: known[name] if name in known and known[name][0] == entry else (entry, now)
            for name, entry in first.items()
        }
        # By both clocks: after Redis's was set back, the ids go on from the later time.
        self.waiting_ms = {
            name: max(0, now_ms - entry_ms(entry), round(1000 * (now - since)))
            for name, (entry, since) in self._first.items()
        }

    def _remembered(self, found: Mapping[str, SourceStatus]) -> dict[str, SourceStatus]:
        """The sources without those that reported nothing for a minute."""
        now_ms = self._clock.now_ms()
        if self._polled_ms and now_ms - self._polled_ms > STATUS_TTL_MS:
            # Redis was unreachable or this host asleep; the captures may need a moment to report again.
            self._unheard_until_ms = now_ms
        self._polled_ms = now_ms
        if not found:
            # All at once: Redis was flushed or restarted empty; live captures report again within a second.
            oldest_ms = now_ms - STATUS_TTL_MS
            found = {name: status for name, status in self._sources.items() if status.seen_ms >= oldest_ms}
        return {
            name: status
            for name, status in found.items()
            if now_ms - max(status.seen_ms, self._unheard_until_ms) <= FORGOTTEN_MS
        }

    def _publish_changes(self) -> None:
        sources = {status.name: status for status in self.sources()}
        for name in self._published.keys() - sources.keys():
            del self._published[name]
            logger.info("source is gone", source=name)
            self._on_gone(name)
        for name, status in sources.items():
            before, now = self._published.get(name, ("", "", "")), (status.state, status.reason, status.warning)
            if before[0] != now[0]:
                logger.info("source", source=name, state=status.state, reason=status.reason)
            if before != now:
                self._published[name] = now
                self._on_change(status)

    def is_alive(self, status: SourceStatus) -> bool:
        """Whether the capture process of this source reports, whatever the state of the source is."""
        now_ms = self._clock.now_ms()
        return self._source_heartbeats.age_ms(status.name, status.seen_ms, now_ms) <= STATUS_TTL_MS

    def _as_of_now(self, status: SourceStatus) -> SourceStatus:
        if self.is_alive(status) or status.state == "OFFLINE":
            return status
        gone = self._refusal() or "its capture process is gone or stuck"
        reason = gone if self.reachable else "Redis cannot be reached"
        return status.model_copy(update={"state": "OFFLINE", "reason": reason, "warning": "", "fps": 0.0})
