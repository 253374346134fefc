"""Runs blocking calls so that they delay neither the event loop nor the end of the process."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import TypeVar

from api_gateway.history.database import DatabaseUnavailable

Answer = TypeVar("Answer")


class BoundedExecutor:
    """Runs calls on daemon threads, a bounded number at a time.

    A frozen or disconnected database can block a call for minutes. The process waits at its end for the threads of
    `asyncio.to_thread`, which other calls need, too; it does not wait for these.
    """

    def __init__(self, at_a_time: int, timeout_seconds: float) -> None:
        self._free = asyncio.Semaphore(at_a_time)
        self._timeout_seconds = timeout_seconds

    async def call(self, work: Callable[[], Answer]) -> Answer:
        """What `work` returns or raises.

        Raises:
            DatabaseUnavailable: the call takes too long; it goes on and its result is dropped.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._free.acquire()
                return await self._start(work)
        except TimeoutError:
            raise DatabaseUnavailable(f"no answer within {self._timeout_seconds:g} s") from None

    def _start(self, work: Callable[[], Answer]) -> "asyncio.Future[Answer]":
        done: Future[Answer] = Future()
        done.set_running_or_notify_cancel()  # from here on it cannot be cancelled
        loop = asyncio.get_running_loop()

        def run() -> None:
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 - raised where the result is awaited
                done.set_exception(error)
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._free.release)

        Thread(target=run, name="history", daemon=True).start()
        return asyncio.wrap_future(done)
