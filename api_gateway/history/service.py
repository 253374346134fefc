"""The history of a gateway: recording, retention and queries, wired together."""

import asyncio
from datetime import timedelta

import structlog

from api_gateway.history.database import Database, DatabaseUnavailable
from api_gateway.history.executor import BoundedExecutor
from api_gateway.history.queries import HistoryQueries, Page, Search
from api_gateway.history.recorder import Recorder
from api_gateway.history.records import EpisodeRecord, ReadingRecord
from api_gateway.history.writer import HistoryWriter
from api_gateway.leader_election import LeaderElection
from api_gateway.polling import PollingSupervisor, every
from api_gateway.results.erased_scopes import ErasedScopes
from api_gateway.results.sinks import PartialSink, ProcessedReading
from contract import events
from contract.errors import reason_of
from contract.messages.erasure import ErasureScope
from contract.redis.clock import RedisClock
from contract.redis.lease import AsyncLease

logger = structlog.get_logger()
LEASE_TASK = "history"
QUERIES_AT_A_TIME = 3
QUERY_SECONDS = 8.0
ELECTION_EVERY = timedelta(seconds=1)
WRITE_EVERY = timedelta(seconds=1)
SWEEP_EVERY = timedelta(seconds=60)
SWEEP_PAUSE_SECONDS = 0.2
SILENT_MS = 60_000
"""An episode without an update for so long is over."""


class HistoryService(PartialSink):
    """Records the results of live sources, and answers queries.

    Args:
        database: not opened before `run` or a query.
        lease: of `LEASE_TASK`.
        clock: Redis's.
        keep: for how long; 0: nothing is recorded, and the database is never opened.
        erased: what must not be recorded any more.
    """

    def __init__(
        self, database: Database, lease: AsyncLease, clock: RedisClock, keep: timedelta, erased: ErasedScopes
    ) -> None:
        self.on = bool(keep)
        self._keep_ms = round(keep.total_seconds() * 1000)
        self._clock = clock
        self._writer = HistoryWriter(database)
        self._queries = HistoryQueries(database)
        election = LeaderElection(lease, "recording history")
        self._recorder = Recorder(database, election, clock, erased)
        self._query_executor = BoundedExecutor(QUERIES_AT_A_TIME, QUERY_SECONDS)
        self._sweep_executor = BoundedExecutor(1, QUERY_SECONDS)

    async def run(self, polls: PollingSupervisor) -> None:
        """Record, and delete what is too old, until cancelled."""
        if not self.on:
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(polls.every(ELECTION_EVERY, "history", self._recorder.poll_election))
            tasks.create_task(every(WRITE_EVERY, self._recorder.write))
            tasks.create_task(every(SWEEP_EVERY, self._sweep))

    async def flush(self) -> None:
        """Write what waits to be written; at most about a second."""
        if self.on:
            await self._recorder.flush()

    async def resign(self) -> None:
        """Let another gateway record at once.

        Raises:
            redis.RedisError: Redis is unreachable.
        """
        await self._recorder.election.resign()

    def reading(self, reading: ProcessedReading) -> None:
        if self.on and reading.live:
            self._recorder.add_reading(reading.event)

    def episode(self, episode: events.Episode, *, live: bool) -> None:
        if self.on and live:
            self._recorder.add_episode(episode)

    async def readings(self, search: Search) -> Page[ReadingRecord]:
        """A page of readings. Raises `DatabaseUnavailable`, as do the next two."""
        return await self._query_executor.call(lambda: self._queries.readings(search))

    async def episodes(self, search: Search) -> Page[EpisodeRecord]:
        """A page of episodes."""
        return await self._query_executor.call(lambda: self._queries.episodes(search))

    async def labels(self) -> tuple[str, ...]:
        """The labels of all models whose readings were recorded."""
        return await self._query_executor.call(self._queries.labels)

    def discard(self, scope: ErasureScope) -> None:
        """Discard what waits to be written of this scope."""
        self._recorder.discard(scope)

    async def erase(self, scope: ErasureScope) -> int:
        """Delete what was recorded of a scope; returns how many readings and episodes it was.

        Raises:
            DatabaseUnavailable: the database cannot serve.
        """
        return await self._recorder.erase(scope)

    @property
    def disk_trouble(self) -> str:
        """Why the disk of the database keeps it from recording; empty if it does not."""
        return self._recorder.disk_trouble

    def event(self) -> events.History:
        """The state of the recording."""
        recorder = self._recorder
        return events.History(
            on=self.on,
            here=recorder.election.is_leader,
            trouble=recorder.trouble,
            waiting=recorder.waiting,
            dropped=recorder.dropped,
        )

    async def _sweep(self) -> None:
        """If this gateway records: end the episodes that nobody ended, and delete what is too old."""
        if not (self._recorder.election.is_leader and self._recorder.open):
            return
        now_ms = self._clock.now_ms()
        try:
            await self._sweep_executor.call(lambda: self._writer.close_episodes(now_ms - SILENT_MS))
            rows = 0
            while deleted := await self._sweep_executor.call(lambda: self._writer.sweep(now_ms - self._keep_ms)):
                rows += deleted
                await asyncio.sleep(SWEEP_PAUSE_SECONDS)
        except DatabaseUnavailable as error:
            logger.warning("history not swept", error=reason_of(error))
        else:
            if rows:
                logger.debug("old history deleted", rows=rows)
