"""Whether a loop still turns, for health checks and for the process that started this one."""

import ctypes
import mmap
import os
import sys
import tempfile
import time
import weakref

LONGEST_TURN_SECONDS = 20.0
"""Longer than a turn that waits for a Redis which does not respond."""


class Watchdog:
    """Counts as alive while it is fed: once in every turn of a loop.

    Args:
        longest_turn: seconds without a feed after which it counts as not alive.
        fd: descriptor of the memory of another process's watchdog, which is then shared; by default a new one.
    """

    def __init__(self, longest_turn: float = LONGEST_TURN_SECONDS, fd: int | None = None) -> None:
        self._longest_turn = longest_turn
        self.fd = _memory() if fd is None else fd
        weakref.finalize(self, os.close, self.fd)
        # Without a lock: a process that is killed while it holds one would hang the other. All processes of a host
        # have the same monotonic clock.
        self._last = ctypes.c_double.from_buffer(mmap.mmap(self.fd, mmap.PAGESIZE))
        if fd is None:
            self.feed()

    def feed(self, ahead: float = 0.0) -> None:
        """The loop turns; the next turn may take `ahead` seconds longer than others."""
        self._last.value = time.monotonic() + ahead

    def alive(self, tolerance: float = 0.0) -> bool:
        """Whether the last feed is at most the longest turn and `tolerance` ago, in seconds."""
        return time.monotonic() - self._last.value < self._longest_turn + tolerance


def _memory() -> int:
    """The descriptor of one page of memory that is no named file."""
    if sys.platform == "linux":
        fd = os.memfd_create("emotii-watchdog")
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, mmap.PAGESIZE)
    return fd
