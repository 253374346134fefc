"""`python -m jobs_service`: analyses the recordings that are uploaded over REST."""

from contextlib import closing

from capture_service.settings import CaptureSettings
from contract.jobs import JobFiles
from contract.redis.broker import connect
from contract.redis.server_check import check_server
from contract.service import logs
from contract.service.health import health_server
from contract.service.lifecycle import private_files, run, stop_on_signal, stop_with_parent
from contract.service.settings import load
from inference_service.settings import InferenceSettings
from jobs_service.execution import JobExecution
from jobs_service.registry import JobRegistry
from jobs_service.retention import RetentionPolicy
from jobs_service.runner import JobRunner
from jobs_service.settings import JobsSettings


def main() -> None:
    """Run jobs until a signal stops the process."""
    private_files()
    settings = load(JobsSettings)
    capture = load(CaptureSettings)
    model = load(InferenceSettings).model
    logs.configure(service="jobs", level=settings.log_level, as_json=settings.log_json)
    check_server(settings.redis_url)

    files = JobFiles(settings.jobs)
    with closing(connect(settings.redis_url, "jobs")) as clients, stop_on_signal() as stop:
        stop_with_parent(stop)
        registry = JobRegistry(clients)
        retention = RetentionPolicy(registry, files, settings.jobs_keep)
        execution = JobExecution(clients, files, capture, model, settings.jobs_step_timeout)
        runner = JobRunner(clients, registry, retention, execution, settings.jobs_longest)
        with health_server(settings.metrics_host, settings.metrics_port, lambda: True, settings.allowed_hosts):
            runner.run(stop)


if __name__ == "__main__":
    run(main)
