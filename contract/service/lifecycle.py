"""How a service starts and stops: private files, errors in one line, a stop on signals or with its parent."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from types import FrameType

from contract.errors import EmotiiError

FAILURE_EXIT, USAGE_EXIT = 1, 2
_PR_SET_PDEATHSIG = 1
PRIVATE_UMASK = 0o077
"""Files of a service hold faces, readings or cameras' passwords: other users of the machine may not read them."""


def private_files() -> None:
    """Create every file and folder from here on for this user alone, in child processes, too.

    For services. A command that writes what a person asked for, where the person named it, follows that person's umask.
    """
    os.umask(PRIVATE_UMASK)


@contextmanager
def stop_on_signal(stop: Event | None = None) -> Iterator[Event]:
    """An event that any of `stop_signals` sets. A second signal acts at once, since the first restores the handlers."""
    stop = stop or Event()
    signals = stop_signals()
    before = {number: signal.getsignal(number) for number in signals}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        restore()
        # On a thread: the signal may have interrupted this one inside `stop.wait`, where `stop.set` would deadlock.
        Thread(target=stop.set, name="stop", daemon=True).start()

    for number in signals:
        signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        restore()


def stop_signals() -> tuple[signal.Signals, ...]:
    """The signals that end a process in order: SIGTERM, SIGINT and, unless nohup ignores it, SIGHUP."""
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        return signal.SIGTERM, signal.SIGINT, signal.SIGHUP
    return signal.SIGTERM, signal.SIGINT


def stop_with_parent(stop: Event) -> None:
    """Set `stop` when the process that started this one has ended, in whatever way.

    It polls once a second, which works on every system, unlike Linux's parent-death signal.
    """
    parent = os.getppid()

    def watch() -> None:
        while not stop.wait(1.0):
            if os.getppid() != parent:
                stop.set()

    Thread(target=watch, name="parent-watch", daemon=True).start()


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Have Linux send this process a signal when its parent dies; elsewhere nothing. For use between fork and exec."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, number)


# Loaded in advance: between fork and exec nothing may allocate memory or take a lock.
_LIBC: ctypes.CDLL | None = ctypes.CDLL(None) if sys.platform == "linux" else None


def run(main: Callable[[], None]) -> None:
    """Run a service's `main` as a process: an error that a person can correct is one line on stderr and exit code 2.

    An unexpected error ends the process on whichever thread it is raised, since the service needs that thread.
    """
    before, threading.excepthook = threading.excepthook, _end_process
    try:
        main()
    except EmotiiError as error:
        print(f"emotii: {error}", file=sys.stderr)
        sys.exit(USAGE_EXIT)
    finally:
        threading.excepthook = before


def _end_process(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_type is SystemExit:  # a thread that ended itself, as one does whose terminal was closed
        return
    threading.__excepthook__(failure)  # prints it on stderr
    os._exit(FAILURE_EXIT)
