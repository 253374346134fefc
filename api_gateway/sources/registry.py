"""Which sources and workers there are, as they last said themselves."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import redis.asyncio
import structlog
from pydantic import BaseModel, ValidationError

from api_gateway.errors import ApiError
from contract import keys
from contract.messages import FORGOTTEN_MS, STATUS_TTL_MS, SourceStatus, WorkerStatus
from contract.redis.clock import RedisClock

logger = structlog.get_logger()
Status = TypeVar("Status", bound=BaseModel)


class Registry:
    """The registries in Redis, looked at twice a second.

    Args:
        client: for commands.
        clock: Redis's; it is kept set here.
        on_change: called with a source's status whenever its state or the reason is another than before.
        on_gone: called with the name of a source that is no more.
    """

    def __init__(
        self,
        client: redis.asyncio.Redis,
        clock: RedisClock,
        on_change: Callable[[SourceStatus], None],
        on_gone: Callable[[str], None],
    ) -> None:
        self._client = client
        self._clock = clock
        self._on_change = on_change
        self._on_gone = on_gone
        self._sources: dict[str, SourceStatus] = {}
        self._workers: dict[str, WorkerStatus] = {}
        self._told: dict[str, tuple[str, str]] = {}
        self._malformed: frozenset[bytes] = frozenset()
        self._looked_ms = self._deaf_until_ms = 0
        self.reachable = False
        """Whether the last look succeeded."""
        self.backlog: dict[str, int] = {}
        """By source: entries of the crops stream that no worker has finished."""
        self.waiting_ms: dict[str, int] = {}
        """By source: for how long the oldest of them had been waiting at the last look."""

    async def poll(self) -> None:
        """Read both registries."""
        try:
            await self._read()
            self.reachable = True
        except Exception:
            self.reachable = False
            raise
        finally:
            self._tell_changes()

    def sources(self) -> list[SourceStatus]:
        """Every source in its order, those behind that were not heard of for 5 s; they are OFFLINE."""
        in_order = sorted(self._sources.values(), key=lambda s: (not self.is_heard(s), s.order, s.name))
        return [self._as_of_now(status) for status in in_order]

    def workers(self) -> list[WorkerStatus]:
        """The workers that are alive."""
        oldest = self._clock.now_ms() - STATUS_TTL_MS
        return [status for status in self._workers.values() if status.seen_ms >= oldest]

    def find(self, name: str) -> SourceStatus | None:
        """The source of this name; None if there is none. Cheap: asked for every reading and every viewer's picture."""
        status = self._sources.get(name)
        return status and self._as_of_now(status)

    def source(self, name: str) -> SourceStatus:
        """The source of this name.

        Raises:
            ApiError: there is none; the message lists those that there are.
        """
        if (status := self.find(name)) is not None:
            return status
        names = ", ".join(status.name for status in self.sources()) or "none yet"
        raise ApiError(404, "unknown_source", f"no source {name[:40]!r}; there are: {names}")

    def chosen(self, name: str | None) -> str | None:
        """`name` if there is such a source; without one the first camera, None where there is none yet.

        Raises:
            ApiError: there is no source of that name.
        """
        if name is not None:
            return self.source(name).name
        return next((status.name for status in self.sources() if status.kind == "camera"), None)

    async def _read(self) -> None:
        await self._clock.refresh_async(self._client)
        pipeline = self._client.pipeline(transaction=False)
        pipeline.hgetall(keys.SOURCES)
        pipeline.hgetall(keys.WORKERS)
        names = list(self._sources)
        for name in names:
            pipeline.xlen(keys.crops(name))
            pipeline.xrange(keys.crops(name), count=1)
        # A crops key of another type gives an error in the place of its length: that source has no backlog to tell.
        sources, workers, *crops = await pipeline.execute(raise_on_error=False)
        for reply in (sources, workers):
            if isinstance(reply, Exception):
                raise reply
        malformed: set[bytes] = set()
        self._sources = self._remembered(self._parsed(SourceStatus, sources, malformed))
        self._workers = self._parsed(WorkerStatus, workers, malformed)
        self._malformed = frozenset(malformed)
        self._count_crops(dict(zip(names, zip(crops[::2], crops[1::2], strict=True), strict=True)))

    def _count_crops(self, found: Mapping[str, tuple[Any, Any]]) -> None:
        """Take in the length and the first entry of each crops stream; an error stands in the place of both."""
        now_ms = self._clock.now_ms()
        self.backlog = {name: length for name, (length, _) in found.items() if isinstance(length, int)}
        first = {name: entries[0][0] for name, (_, entries) in found.items() if isinstance(entries, list) and entries}
        self.waiting_ms = {name: max(0, now_ms - int(entry.partition(b"-")[0])) for name, entry in first.items()}

    def _parsed(self, model: type[Status], entries: Mapping[bytes, bytes], malformed: set[bytes]) -> dict[str, Status]:
        found = {}
        for name, value in entries.items():
            try:
                found[name.decode()] = model.model_validate_json(value)
            except (ValidationError, UnicodeDecodeError) as error:
                malformed.add(name)
                if name not in self._malformed:
                    reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
                    logger.warning("malformed status passed over", entry=repr(name[:64]), reason=reason)
        return found

    def _remembered(self, found: Mapping[str, SourceStatus]) -> dict[str, SourceStatus]:
        """The sources without those that were not heard of for a minute."""
        now_ms = self._clock.now_ms()
        if self._looked_ms and now_ms - self._looked_ms > STATUS_TTL_MS:
            # Redis was away or this host asleep; the captures may need a moment as well, and are not gone for that.
            self._deaf_until_ms = now_ms
        self._looked_ms = now_ms
        if not found:
            # All at once: Redis was flushed or came back empty, and whoever lives says so again within a second.
            heard = now_ms - STATUS_TTL_MS
            found = {name: status for name, status in self._sources.items() if status.seen_ms >= heard}
        return {
            name: status
            for name, status in found.items()
            if name == status.name
            and keys.SOURCE_NAME.fullmatch(name)
            and now_ms - max(status.seen_ms, self._deaf_until_ms) <= FORGOTTEN_MS
        }

    def _tell_changes(self) -> None:
        sources = {status.name: status for status in self.sources()}
        for name in self._told.keys() - sources.keys():
            del self._told[name]
            logger.info("source is gone", source=name)
            self._on_gone(name)
        for name, status in sources.items():
            before, now = self._told.get(name, ("", "")), (status.state, status.reason)
            if before[0] != now[0]:
                logger.info("source", source=name, state=status.state, reason=status.reason)
            if before != now:
                self._told[name] = now
                self._on_change(status)

    def is_heard(self, status: SourceStatus) -> bool:
        """Whether the capture process of this source is alive, in whatever state the source is."""
        return self._clock.now_ms() - status.seen_ms <= STATUS_TTL_MS

    def _as_of_now(self, status: SourceStatus) -> SourceStatus:
        if self.is_heard(status) or status.state == "OFFLINE":
            return status
        reason = "its capture process is gone or stuck" if self.reachable else "Redis cannot be reached"
        return status.model_copy(update={"state": "OFFLINE", "reason": reason, "fps": 0.0})
