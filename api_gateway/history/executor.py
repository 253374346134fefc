"""Calls that block, kept away from the event loop and from the end of the process."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from typing import TypeVar

from api_gateway.history.database import DatabaseUnavailable

Answer = TypeVar("Answer")


class BoundedExecutor:
    """Runs calls on daemon threads, at most so many at a time.

    A database that is frozen or cut off can hold a call for minutes. The threads of `asyncio.to_thread` are awaited at
    the end of the process, and are needed for other things; these are not.
    """

    def __init__(self, at_a_time: int, patience_seconds: float) -> None:
        self._free = asyncio.Semaphore(at_a_time)
        self._patience_seconds = patience_seconds

    async def call(self, work: Callable[[], Answer]) -> Answer:
        """What `work` returns or raises.

        Raises:
            DatabaseUnavailable: that takes too long; the call is left to end by itself.
        """
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._free.acquire()
                return await self._start(work)
        except TimeoutError:
            raise DatabaseUnavailable(f"no answer within {self._patience_seconds:g} s") from None

    def _start(self, work: Callable[[], Answer]) -> "asyncio.Future[Answer]":
        done: Future[Answer] = Future()
        done.set_running_or_notify_cancel()  # from here on nobody can cancel it
        loop = asyncio.get_running_loop()

        def run() -> None:
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                done.set_exception(error)
            with suppress(RuntimeError):  # the loop has ended meanwhile, and with it whoever waited
                loop.call_soon_threadsafe(self._free.release)

        Thread(target=run, name="history", daemon=True).start()
        return asyncio.wrap_future(done)
