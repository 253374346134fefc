"""Erases a scope wherever something of it is stored."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis.asyncio

from api_gateway.erasure import streams
from api_gateway.faces.store import FaceStore
from api_gateway.history.service import HistoryService
from api_gateway.uploads.errors import JobStillRunning
from api_gateway.uploads.jobs import Jobs
from contract.errors import EmotiiError, reason_of
from contract.messages.erasure import Erased, ErasureScope
from contract.redis.broker import outages_named


class CannotErase(EmotiiError):  # noqa: N818 - what happened
    """Something could not be erased now; a retry may succeed."""


@dataclass(frozen=True)
class Eraser:
    """Every step may be repeated, so that an erasure that failed anywhere begins again with the first."""

    client: redis.asyncio.Redis
    """For commands."""
    faces: FaceStore
    history: HistoryService
    jobs: Jobs

    async def erase(self, scope: ErasureScope, *, redis_too: bool) -> Erased:
        """Erase everything that is stored of a scope; returns what was erased.

        Args:
            scope: what to erase. What this process holds of it in memory has been discarded before.
            redis_too: whether in Redis as well, where another gateway may have done it.

        Raises:
            BrokerUnavailable, DatabaseUnavailable, CannotErase: impossible now; a retry may succeed.
        """
        skew_ms = await self._skew_ms()
        jobs = await self._cancel_jobs(scope, skew_ms)
        entries = await streams.erase(self.client, scope) if redis_too else 0
        faces = await self._erase_faces(scope, skew_ms)
        records = await self.history.erase(scope)
        if redis_too:
            await streams.rewrite_file(self.client)
        return Erased(jobs=jobs, entries=entries, faces=faces, records=records)

    async def _skew_ms(self) -> int:
        """By how much this host's clock, which dates files, is ahead of Redis's."""
        with outages_named():
            seconds, microseconds = await self.client.time()
        return round(time.time() * 1000) - (seconds * 1000 + microseconds // 1000)

    async def _cancel_jobs(self, scope: ErasureScope, skew_ms: int) -> int:
        """Before the streams: a running job would fill its own again."""
        if scope.source is not None:
            return 0
        try:
            return len(await self.jobs.erase(scope.from_ms, scope.to_ms, skew_ms))
        except OSError as error:
            raise CannotErase(f"the folder of the jobs: {reason_of(error)}") from error
        except JobStillRunning as error:
            raise CannotErase(reason_of(error)) from error

    async def _erase_faces(self, scope: ErasureScope, skew_ms: int) -> int:
        since = _time(scope.from_ms + skew_ms) if scope.from_ms else None
        until = _time(scope.to_ms + skew_ms + 1)
        try:
            return await asyncio.to_thread(self.faces.erase, source=scope.source, since=since, until=until)
        except OSError as error:
            raise CannotErase(f"the folder of saved faces: {reason_of(error)}") from error


def _time(ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
