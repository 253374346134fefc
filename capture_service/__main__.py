"""The capture service: `python -m capture_service`."""

from capture_service.detectors import check
from capture_service.processes.added_sources import AddedSources
from capture_service.processes.supervisor import ProcessSupervisor
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import configured
from contract.redis.broker import connect
from contract.redis.server_check import check_server
from contract.service import logs
from contract.service.health import health_server
from contract.service.lifecycle import private_files, run, stop_on_signal, stop_with_parent
from contract.service.settings import load


def main() -> None:
    """Capture every configured or added source, and uploaded pictures, until a signal comes."""
    private_files()
    settings = load(CaptureSettings)
    logs.configure(service="capture", level=settings.log_level, as_json=settings.log_json)
    check_server(settings.redis_url)
    specs = configured(settings)
    check({spec.detector or settings.detector for spec in specs} | {settings.detector})
    added = AddedSources(connect(settings.redis_url, "capture").commands)
    with stop_on_signal() as stop:
        stop_with_parent(stop)
        added.start(stop)
        supervisor = ProcessSupervisor(specs, settings, added=added.sources, on_ended=added.source_ended)
        with health_server(settings.metrics_host, settings.metrics_port, supervisor.alive, settings.allowed_hosts):
            supervisor.run(stop)


if __name__ == "__main__":
    run(main)
