"""Erasing a span wherever this process keeps or reaches something of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis.asyncio

from api_gateway.erasure import streams
from api_gateway.faces.store import FaceStore
from api_gateway.history.service import HistoryService
from api_gateway.uploads.jobs import Jobs
from contract.errors import EmotiiError
from contract.messages.erasure import Erased, ErasureScope
from contract.redis.broker import outages_named

LOOK_SECONDS, JOB_LOOKS = 0.1, 150
"""By then a job that was cancelled has ended, or the claim of the process that died with it has."""


class CannotErase(EmotiiError):  # noqa: N818 - what happened
    """Something could not be erased; worth another try."""


@dataclass(frozen=True)
class Eraser:
    """Every step may be done again, so that one that broke off anywhere is begun anew from the first."""

    client: redis.asyncio.Redis
    """For commands."""
    faces: FaceStore
    history: HistoryService
    jobs: Jobs
    forget: Callable[[ErasureScope], Awaitable[None]]
    """Called first: nothing of the span that stands in memory may be written from then on."""

    async def erase(self, span: ErasureScope, *, redis_too: bool) -> Erased:
        """Erase everything of a span; what is gone.

        Args:
            span: what is to go.
            redis_too: whether in Redis as well, where another gateway may have done it.

        Raises:
            BrokerUnavailable, DatabaseUnavailable, CannotErase: not now; worth another try.
        """
        await self.forget(span)
        skew_ms = await self._skew_ms()
        jobs = await self._cancel_jobs(span, skew_ms)
        entries = await streams.erase(self.client, span) if redis_too else 0
        faces = await self._erase_faces(span, skew_ms)
        records = await self.history.erase(span)
        if redis_too:
            await streams.rewrite_file(self.client)
        return Erased(jobs=jobs, entries=entries, faces=faces, records=records)

    async def _skew_ms(self) -> int:
        """By how much this host's clock, which dates files, is ahead of Redis's."""
        with outages_named():
            seconds, microseconds = await self.client.time()
        return round(time.time() * 1000) - (seconds * 1000 + microseconds // 1000)

    async def _cancel_jobs(self, span: ErasureScope, skew_ms: int) -> int:
        """Before the streams: a job that runs would fill its own again."""
        if span.source is not None:
            return 0
        try:
            erased = await self.jobs.erase(span.from_ms, span.to_ms, skew_ms)
        except OSError as error:
            raise CannotErase(f"the folder of the jobs: {error.strerror}") from error
        for _ in range(JOB_LOOKS):
            if not await self.jobs.any_claimed(erased):
                return len(erased)
            await asyncio.sleep(LOOK_SECONDS)
        raise CannotErase("a job that was cancelled does not end")

    async def _erase_faces(self, span: ErasureScope, skew_ms: int) -> int:
        since = _time(span.from_ms + skew_ms) if span.from_ms else None
        until = _time(span.to_ms + skew_ms + 1)
        try:
            return await asyncio.to_thread(self.faces.erase, source=span.source, since=since, until=until)
        except OSError as error:
            raise CannotErase(f"the folder of saved faces: {error.strerror}") from error


def _time(ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
