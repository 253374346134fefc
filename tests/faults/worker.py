"""A worker process with `EchoEngine`: `python -m tests.faults.worker`."""

import os
from contextlib import closing
from pathlib import Path

import structlog

from contract.redis.broker import connect
from contract.service.lifecycle import run, stop_on_signal, stop_with_parent
from contract.service.logs import configure
from contract.service.settings import load
from inference_service.service import build
from inference_service.settings import InferenceSettings
from tests.faults.engine import EchoEngine


def main() -> None:
    settings = load(InferenceSettings)
    configure(service="inference", as_json=True)
    runs = os.environ.get("EMOTII_TEST_RUNS")
    engine = EchoEngine(float(os.environ.get("EMOTII_TEST_SECONDS_PER_BATCH", "0")), Path(runs) if runs else None)
    with stop_on_signal() as stop, closing(connect(settings.redis_url, "emotii-inference")) as clients:
        stop_with_parent(stop)
        structlog.get_logger().info("worker started")
        build(settings, engine, clients).run(stop)
        structlog.get_logger().info("worker stopped")


if __name__ == "__main__":
    run(main)
