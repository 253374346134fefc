"""The process that captures one source: `python -m capture_service.processes.child FD`, started by the supervisor.

`multiprocessing` is not used, since it would run one more process, of 13 MB, to clean up after this one.

Some imports stand in a function, since OpenCV reads its bounds from the environment while it is loaded.
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
from contract.service.memory import keep_freed, limit_address_space
from contract.service.native_output import discard_native_output


def capture(spec: SourceSpec, order: int, settings: CaptureSettings, watchdog: Watchdog) -> None:
    """Capture `spec`, the source at place `order`, until a signal comes or the parent process is gone.

    The parent shares `watchdog` and kills this process when it is not fed any more.
    """
    discard_native_output()
    keep_freed()
    limit_address_space(settings.process_memory_mb)
    limit(settings)
    logs.configure(service=f"capture {spec.name}", level=settings.log_level, as_json=settings.log_json)

    def capture_source() -> None:
        from capture_service.factory import make_capture
        from contract.service.health import health_server

        stop = _stop_on_signals()
        stop_with_parent(stop)
        port = settings.metrics_port and settings.metrics_port + 1 + order
        with health_server(settings.metrics_host, port, watchdog.alive, settings.allowed_hosts) as metrics_port:
            make_capture(spec, order, metrics_port, watchdog, settings).run(stop)

    run(capture_source)


def main() -> None:
    """Capture the source that the parent writes to standard input; the argument is the descriptor of the watchdog."""
    spec, order, settings, longest_turn = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent
    capture(spec, order, settings, Watchdog(longest_turn, int(sys.argv[1])))


def _stop_on_signals() -> Event:
    """As `contract.service.lifecycle.stop_on_signal`, but a second signal changes nothing.

    Ctrl-C or a closed terminal reaches the whole group of processes; then the parent ends this process, too.
    """
    stop = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        Thread(target=stop.set, name="stop", daemon=True).start()

    for number in stop_signals():
        signal.signal(number, on_signal)
    return stop


if __name__ == "__main__":
    main()
