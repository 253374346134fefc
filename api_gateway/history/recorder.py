"""Recording what is read, by one gateway of all, without ever holding up what is live."""

import asyncio
import time

import structlog

from api_gateway.history.database import Database, DatabaseUnavailable, RowsRefused
from api_gateway.history.executor import BoundedExecutor
from api_gateway.history.migration import migrate
from api_gateway.history.write_buffer import Batch, ReadingSampler, WriteBuffer, is_of, overlaps
from api_gateway.history.writer import HistoryWriter
from contract import events
from contract.messages.erasure import ErasureScope
from contract.redis.broker import Backoff
from contract.redis.clock import RedisClock
from contract.redis.lease import AsyncLease

logger = structlog.get_logger()
LEASE_SECONDS = 1.0
WRITE_SECONDS = 1.0
PATIENCE_SECONDS = 10.0
FAREWELL_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 10.0
AT_A_TIME = 1000
HANDOVER_MS = 15_000
"""Every gateway keeps so much in mind; who takes over the recording writes it, and what the one before it stored is
stored once. Longer than a lease lives and what waits to be written, together."""


class Recorder:
    """Writes readings and episodes about once a second while it has the lease, and what it owes from then also later.

    Args:
        database: where to; its tables are brought up to date before anything else.
        lease: of which one gateway at a time is the holder.
        clock: Redis's.
    """

    def __init__(self, database: Database, lease: AsyncLease, clock: RedisClock) -> None:
        self._database = database
        self._archive = HistoryWriter(database)
        self._lease = lease
        self._clock = clock
        self._aside = BoundedExecutor(1, PATIENCE_SECONDS)
        self._backoff = Backoff(first_seconds=0.5, longest_seconds=LONGEST_PAUSE_SECONDS)
        self._thinning = ReadingSampler()
        self._erased: list[ErasureScope] = []
        self._owed = WriteBuffer()
        self._recent = WriteBuffer()
        """What another gateway writes; ours to write if it is gone."""
        self._batch = Batch()
        self._refused = 0
        self.holds_lease = False
        self.open = False
        """Whether the tables are known to be those of this release."""
        self.trouble = ""
        """Why the database cannot be used now; else empty."""

    @property
    def waiting(self) -> int:
        """Readings and episodes that are to be written."""
        return len(self._owed) + len(self._batch)

    @property
    def dropped(self) -> int:
        """Readings and episodes that were never written, because too many waited or the database refused them."""
        return self._owed.dropped + self._refused

    def take_reading(self, reading: events.Reading) -> None:
        """A live reading, in the order of its track."""
        erased = any(is_of(span, reading) for span in self._erased)
        if not erased and not reading.stale and self._thinning.lets(reading):
            self._taking.add_reading(reading)

    def take_episode(self, episode: events.Episode) -> None:
        """Word of an episode of a live source."""
        if not any(overlaps(span, episode) for span in self._erased):
            self._taking.add_episode(episode)

    async def keep_lease(self) -> None:
        """Take part in the choice of the gateway that records."""
        holds = False
        try:
            holds = await self._lease.acquire_or_renew()
        finally:
            if holds != self.holds_lease:
                logger.info("this gateway records history now" if holds else "this gateway records no history any more")
            self.holds_lease = holds
        if holds:
            self._owed.absorb(self._recent)
        else:
            self._recent.forget(self._clock.now_ms() - HANDOVER_MS)
        await asyncio.sleep(LEASE_SECONDS)

    async def write(self) -> None:
        """Wait a second, then write what is due; during an outage of the database wait longer.

        The database is asked when nothing is due, too: so an outage is known before something is lost by it.
        """
        await asyncio.sleep(WRITE_SECONDS)
        try:
            await self._write_due()
        except DatabaseUnavailable as error:
            self._tell_trouble(str(error))
            await asyncio.sleep(self._backoff.next())
        else:
            self._tell_trouble("")
            self._backoff.reset()

    def forget(self, span: ErasureScope) -> None:
        """Write nothing of this span that waits to be written or is still to come."""
        self._erased.append(span)
        for backlog in (self._owed, self._recent):
            backlog.leave_out(span)
        self._batch = self._batch.without(span)

    async def erase(self, span: ErasureScope) -> int:
        """Delete what was written of this span; how many rows.

        Raises:
            DatabaseUnavailable: the database cannot serve.
        """
        if not self._database.exists:
            return 0
        await self._aside.call(lambda: migrate(self._database))
        gone = 0
        # One after the other with what this process writes, so that nothing of the span comes behind it.
        while erased := await self._aside.call(lambda: self._archive.erase(span)):
            gone += erased
        await self._aside.call(self._database.scrub)
        return gone

    async def end(self) -> None:
        """Write what there is, if that is quickly done, and let another gateway record at once."""
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                if not self.trouble:
                    await self._write_due(all_episodes=True)
        except (DatabaseUnavailable, TimeoutError) as error:
            logger.warning("the end of the history was not written", waiting=self.waiting, error=str(error))
        if self.holds_lease:
            await self._lease.release()

    @property
    def _taking(self) -> WriteBuffer:
        return self._owed if self.holds_lease else self._recent

    async def _write_due(self, *, all_episodes: bool = False) -> None:
        if not self.open:
            await self._aside.call(lambda: migrate(self._database))
            self.open = True
        if not self._batch:
            self._batch = self._owed.take(AT_A_TIME, time.monotonic(), all_episodes=all_episodes)
        await self._write(self._batch)
        self._batch = Batch()

    async def _write(self, batch: Batch) -> None:
        """Write a batch; if the database takes something in it under no circumstances, all but that."""
        try:
            await self._aside.call(lambda: self._archive.write(batch.readings, batch.episodes))
        except RowsRefused as error:
            if len(batch) == 1:
                self._refused += 1
                logger.warning("the database takes this never", reason=str(error), source=_source(batch))
                return
            for half in batch.halves():
                await self._write(half)

    def _tell_trouble(self, trouble: str) -> None:
        if trouble and not self.trouble:
            logger.warning("the history cannot be written, retrying", database=self._database.kind, error=trouble)
        if self.trouble and not trouble:
            logger.warning("the history is written again", dropped=self.dropped)
        self.trouble = trouble
        self.open = self.open and not trouble  # it may come back as another, without our tables


def _source(batch: Batch) -> str:
    return (batch.readings or batch.episodes)[0].source
