"""The history of a gateway: recording, forgetting and asking, wired together."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from api_gateway.history.database import Database, DatabaseUnavailable
from api_gateway.history.executor import BoundedExecutor
from api_gateway.history.queries import HistoryQueries, Page, Search
from api_gateway.history.recorder import Recorder
from api_gateway.history.records import EpisodeRecord, ReadingRecord
from api_gateway.history.writer import HistoryWriter
from api_gateway.polling import PollingSupervisor
from contract import events
from contract.messages.erasure import ErasureScope
from contract.redis.clock import RedisClock
from contract.redis.lease import AsyncLease
from postprocessing.source_processor import ProcessorOutput
from postprocessing.track_processor import SmoothedReading

logger = structlog.get_logger()
LEASE_TASK = "history"
ASKED_AT_A_TIME = 3
ANSWER_SECONDS = 8.0
SWEEP_SECONDS = 60.0
SWEEP_PAUSE_SECONDS = 0.2
SILENT_MS = 60_000
"""An episode of which nothing was heard for so long is over."""


class HistoryService:
    """What the gateway offers to it, and what the routes ask of it.

    Args:
        database: nothing is opened before `run` or a question.
        lease: of `LEASE_TASK`.
        clock: Redis's.
        keep: for how long; 0: nothing is recorded, and the database is never opened.
    """

    def __init__(self, database: Database, lease: AsyncLease, clock: RedisClock, keep: timedelta) -> None:
        self.on = bool(keep)
        self._keep_ms = round(keep.total_seconds() * 1000)
        self._clock = clock
        self._archive = HistoryWriter(database)
        self._pages = HistoryQueries(database)
        self._recorder = Recorder(database, lease, clock)
        self._asked = BoundedExecutor(ASKED_AT_A_TIME, ANSWER_SECONDS)
        self._swept = BoundedExecutor(1, ANSWER_SECONDS)

    async def run(self, patience: PollingSupervisor) -> None:
        """Record and forget until cancelled."""
        if not self.on:
            return
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(patience.keep_turning("history", self._recorder.keep_lease))
            tasks.create_task(_for_ever(self._recorder.write))
            tasks.create_task(_for_ever(self._sweep))

    async def end(self) -> None:
        """Write what there is and let another gateway record; at most about a second."""
        if self.on:
            await self._recorder.end()

    def take_reading(self, reading: events.Reading) -> None:
        """A reading of a live source, in the order of its track."""
        if self.on:
            self._recorder.take_reading(reading)

    def take_episode(self, episode: events.Episode) -> None:
        """Word of an episode of a live source."""
        if self.on:
            self._recorder.take_episode(episode)

    def take_past(self, told: ProcessorOutput) -> None:
        """What no gateway was there to take; of a live source."""
        if isinstance(told, SmoothedReading):
            answer = events.Answer.of(told.probabilities, told.judgement) if told.judgement else None
            self.take_reading(events.Reading.tell(told.reading, answer, age_ms=None, stages=None))
        else:
            self.take_episode(told)

    async def readings(self, search: Search) -> Page[ReadingRecord]:
        """A page of readings. Raises `DatabaseUnavailable`, as do the next two."""
        return await self._asked.call(lambda: self._pages.readings(search))

    async def episodes(self, search: Search) -> Page[EpisodeRecord]:
        """A page of episodes."""
        return await self._asked.call(lambda: self._pages.episodes(search))

    async def labels(self) -> tuple[str, ...]:
        """The labels of all models that readings are of."""
        return await self._asked.call(self._pages.labels)

    def forget(self, span: ErasureScope) -> None:
        """Write nothing of this span that waits to be written."""
        self._recorder.forget(span)

    async def erase(self, span: ErasureScope) -> int:
        """Delete what was recorded of a span, also of what waits to be written; how many readings and episodes.

        Raises:
            DatabaseUnavailable: the database cannot serve.
        """
        return await self._recorder.erase(span)

    def event(self) -> events.History:
        """How the recording stands."""
        recorder = self._recorder
        return events.History(
            on=self.on,
            here=recorder.holds_lease,
            trouble=recorder.trouble,
            waiting=recorder.waiting,
            dropped=recorder.dropped,
        )

    async def _sweep(self) -> None:
        """Once a minute, where this gateway records: end what nobody ended, and delete what is too old."""
        await asyncio.sleep(SWEEP_SECONDS)
        if not (self._recorder.holds_lease and self._recorder.open):
            return
        now_ms = self._clock.now_ms()
        try:
            await self._swept.call(lambda: self._archive.close_episodes(now_ms - SILENT_MS))
            gone = 0
            while swept := await self._swept.call(lambda: self._archive.sweep(now_ms - self._keep_ms)):
                gone += swept
                await asyncio.sleep(SWEEP_PAUSE_SECONDS)
        except DatabaseUnavailable as error:
            logger.warning("the history was not swept", error=str(error))
        else:
            if gone:
                logger.debug("history that is too old deleted", rows=gone)


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await work()
