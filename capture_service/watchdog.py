"""Whether a loop still turns, for health checks and for the process that started this one."""

import ctypes
import mmap
import os
import sys
import tempfile
import time
import weakref

LONGEST_TURN_SECONDS = 20.0
"""Longer than a turn that waits for a Redis which does not answer."""


class Watchdog:
    """Beats once a turn. A child process that is given its `fd` shares it with its parent.

    Args:
        longest_turn: after so many seconds without a beat it counts as not alive.
        fd: of the memory of another process's pulse; by default this one has its own.
    """

    def __init__(self, longest_turn: float = LONGEST_TURN_SECONDS, fd: int | None = None) -> None:
        self._longest_turn = longest_turn
        self.fd = _memory() if fd is None else fd
        weakref.finalize(self, os.close, self.fd)
        # Without a lock: who is killed while holding it would hang the other. The monotonic clock is the whole host's.
        self._last = ctypes.c_double.from_buffer(mmap.mmap(self.fd, mmap.PAGESIZE))
        if fd is None:
            self.beat()

    def beat(self, ahead: float = 0.0) -> None:
        """The loop turns; the next turn may take `ahead` seconds longer than others."""
        self._last.value = time.monotonic() + ahead

    def alive(self, patience: float = 0.0) -> bool:
        """Whether the last turn is not too long ago; `patience` in seconds allows for more."""
        return time.monotonic() - self._last.value < self._longest_turn + patience


def _memory() -> int:
    """A page that is nobody's file; its descriptor."""
    if sys.platform == "linux":
        fd = os.memfd_create("emotii-pulse")
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, mmap.PAGESIZE)
    return fd
