"""`python -m emotii.jobs`: analyses the recordings that are handed in over REST."""

from contextlib import closing

from capture_service import opencv
from capture_service.settings import CaptureSettings
from contract import logs
from contract.broker import connect
from contract.health import served
from contract.jobs import JobFiles
from contract.lifecycle import run, stop_on_signal, stop_with_parent
from contract.settings import load
from emotii.jobs.attempt import Attempt
from emotii.jobs.keeper import Keeper
from emotii.jobs.registry import JobRegistry
from emotii.jobs.runner import Runner
from emotii.jobs.settings import JobsSettings
from inference_service.settings import InferenceSettings


def main() -> None:
    """Run jobs until told to stop."""
    settings = load(JobsSettings)
    capture = load(CaptureSettings)
    model = load(InferenceSettings).model
    logs.configure(service="jobs", level=settings.log_level, as_json=settings.log_json)
    opencv.limit(capture)  # before the first job has it imported

    files = JobFiles(settings.jobs)
    with closing(connect(settings.redis_url, "jobs")) as clients, stop_on_signal() as stop:
        stop_with_parent(stop)
        registry = JobRegistry(clients)
        attempt = Attempt(clients, files, capture, model)
        keeper = Keeper(registry, files, settings.jobs_keep)
        runner = Runner(clients, registry, keeper, attempt, settings.jobs_longest)
        with served(settings.metrics_host, settings.metrics_port, lambda: True):
            runner.run(stop)


if __name__ == "__main__":
    run(main)
