"""The process that captures one source: `python -m capture_service.processes.child FD`, as its parent starts it.

Not by `multiprocessing`, which would run one process more, of 13 MB, to tidy up after this one.

Its imports stand in a function, since OpenCV reads its bounds from the environment while it is loaded.
"""

import pickle
import signal
import sys
from threading import Event, Thread
from types import FrameType

from capture_service.settings import CaptureSettings
from capture_service.sources.opencv import limit
from capture_service.sources.spec import SourceSpec
from capture_service.watchdog import Watchdog
from contract.service import logs
from contract.service.lifecycle import run, stop_signals, stop_with_parent
from contract.service.memory import keep_freed


def capture(spec: SourceSpec, order: int, settings: CaptureSettings, pulse: Watchdog) -> None:
    """Capture `spec`, the source at place `order`, until a signal comes or the parent is gone.

    `pulse` is shared with the parent, which ends this process when it beats no more.
    """
    keep_freed()
    limit(settings)
    logs.configure(service=f"capture {spec.name}", level=settings.log_level, as_json=settings.log_json)

    def its_source() -> None:
        from capture_service.factory import captured
        from contract.service.health import health_server

        stop = _stop_on_signals()
        stop_with_parent(stop)
        port = settings.metrics_port and settings.metrics_port + 1 + order
        with health_server(settings.metrics_host, port, pulse.alive) as metrics_port:
            captured(spec, order, metrics_port, pulse, settings).run(stop)

    run(its_source)


def main() -> None:
    """Capture what the parent writes on standard input; it shares the pulse whose descriptor is the one argument."""
    spec, order, settings, longest_turn = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
    capture(spec, order, settings, Watchdog(longest_turn, int(sys.argv[1])))


def _stop_on_signals() -> Event:
    """As `contract.service.lifecycle.stop_on_signal`, but a second signal is no news.

    Ctrl-C or a closed terminal reaches the whole group of processes, and then the parent ends this one in order, too.
    """
    stop = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        Thread(target=stop.set, name="stop", daemon=True).start()

    for number in stop_signals():
        signal.signal(number, on_signal)
    return stop


if __name__ == "__main__":
    main()
