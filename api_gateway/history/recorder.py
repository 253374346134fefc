"""Records results in the database, in one gateway of all, without ever delaying live results."""

import asyncio
import time

import structlog

from api_gateway.history.database import Database, DatabaseUnavailable, DatabaseUnwritable, RowsRefused
from api_gateway.history.executor import BoundedExecutor
from api_gateway.history.migration import migrate
from api_gateway.history.write_buffer import Batch, ReadingSampler, WriteBuffer
from api_gateway.history.writer import HistoryWriter
from api_gateway.leader_election import LeaderElection
from api_gateway.results.erased_scopes import ErasedScopes
from contract import events
from contract.errors import reason_of
from contract.messages.erasure import ErasureScope
from contract.redis.broker import Backoff
from contract.redis.clock import RedisClock

logger = structlog.get_logger()
CALL_SECONDS = 10.0
FLUSH_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 10.0
AT_A_TIME = 1000
HANDOVER_MS = 15_000
"""Every gateway keeps the results of so long; one that becomes the leader writes them, and those that its predecessor
stored stay stored once. Longer than a lease and the wait to be written together."""


class Recorder:
    """Writes readings and episodes while its gateway is the leader, and later what was due from that time.

    Args:
        database: its tables are migrated before anything else.
        election: of the gateway that records.
        clock: Redis's.
        erased: what must not be recorded any more.
    """

    def __init__(self, database: Database, election: LeaderElection, clock: RedisClock, erased: ErasedScopes) -> None:
        self._database = database
        self._writer = HistoryWriter(database)
        self.election = election
        self._clock = clock
        self._erased = erased
        self._executor = BoundedExecutor(1, CALL_SECONDS)
        self._backoff = Backoff(first_seconds=0.5, longest_seconds=LONGEST_PAUSE_SECONDS)
        self._sampler = ReadingSampler()
        self._due = WriteBuffer()
        self._recent = WriteBuffer()
        """What another gateway writes; this one writes it if it becomes the leader."""
        self._batch = Batch()
        self._refused = 0
        self.open = False
        """Whether the tables are known to be those of this release."""
        self.trouble = ""
        """Why the database is unavailable now; else empty."""
        self.disk_trouble = ""
        """The same, if its disk is the reason."""

    @property
    def waiting(self) -> int:
        """Readings and episodes that wait to be written."""
        return len(self._due) + len(self._batch)

    @property
    def dropped(self) -> int:
        """Readings and episodes that were never written, because too many waited or the database refused them."""
        return self._due.dropped + self._refused

    def add_reading(self, reading: events.Reading) -> None:
        """A live reading, in the order of its track."""
        if self._erased.cover(reading.source, reading.captured_ms) or reading.stale:
            return
        if self._sampler.admits(reading):
            self._buffer.add_reading(reading)

    def add_episode(self, episode: events.Episode) -> None:
        """The start, an update or the end of an episode of a live source."""
        if not self._erased.overlap(episode.source, episode.start_ms, episode.end_ms):
            self._buffer.add_episode(episode)

    async def poll_election(self) -> None:
        """Take part in the election of the gateway that records.

        Raises:
            redis.RedisError: Redis is unreachable.
        """
        if await self.election.campaign():
            self._due.absorb(self._recent)
        else:
            self._recent.discard_before(self._clock.now_ms() - HANDOVER_MS)

    async def write(self) -> None:
        """Write what is due; after a failure return only when the next attempt is due.

        The database is called when nothing is due, too, so that an outage is noticed before it loses anything.
        """
        try:
            await self._write_due()
        except DatabaseUnavailable as error:
            self._set_trouble(reason_of(error))
            self.disk_trouble = self.trouble if isinstance(error, DatabaseUnwritable) else ""
            await asyncio.sleep(self._backoff.next())
        else:
            self._set_trouble("")
            self.disk_trouble = ""
            self._backoff.reset()

    def discard(self, scope: ErasureScope) -> None:
        """Discard what waits to be written of this scope."""
        for buffer in (self._due, self._recent):
            buffer.discard(scope)
        self._batch = self._batch.without(scope)

    async def erase(self, scope: ErasureScope) -> int:
        """Delete what was written of this scope; returns how many rows.

        Raises:
            DatabaseUnavailable: the database cannot serve.
        """
        if not self._database.exists:
            return 0
        await self._executor.call(lambda: migrate(self._database))
        rows = 0
        # The executor runs one call at a time, so that a write of this process cannot come after the deletion.
        while deleted := await self._executor.call(lambda: self._writer.erase(scope)):
            rows += deleted
        await self._executor.call(self._database.scrub)
        return rows

    async def flush(self) -> None:
        """Write what is due, running episodes included, if the database does so within a second."""
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                if not self.trouble:
                    await self._write_due(all_episodes=True)
        except (DatabaseUnavailable, TimeoutError) as error:
            logger.warning("the end of the history was not written", waiting=self.waiting, error=reason_of(error))

    @property
    def _buffer(self) -> WriteBuffer:
        return self._due if self.election.is_leader else self._recent

    async def _write_due(self, *, all_episodes: bool = False) -> None:
        if not self.open:
            await self._executor.call(lambda: migrate(self._database))
            self.open = True
        if not self._batch:
            self._batch = self._due.take(AT_A_TIME, time.monotonic(), all_episodes=all_episodes)
        await self._write(self._batch)
        self._batch = Batch()

    async def _write(self, batch: Batch) -> None:
        """Write a batch, except rows that the database refuses for what they hold."""
        try:
            await self._executor.call(lambda: self._writer.write(batch.readings, batch.episodes))
        except RowsRefused as error:
            if len(batch) == 1:
                self._refused += 1
                logger.warning("row refused by the database", reason=reason_of(error), source=_source(batch))
                return
            for half in batch.halves():
                await self._write(half)

    def _set_trouble(self, trouble: str) -> None:
        if trouble and not self.trouble:
            logger.warning("history database unavailable, retrying", database=self._database.kind, error=trouble)
        if self.trouble and not trouble:
            logger.warning("history database available again", dropped=self.dropped)
        self.trouble = trouble
        self.open = self.open and not trouble  # the database may come back as another one, without tables


def _source(batch: Batch) -> str:
    return (batch.readings or batch.episodes)[0].source
