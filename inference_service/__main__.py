"""`python -m inference_service`: one worker. Its settings come from `EMOTII_*` variables."""

from contextlib import closing

import structlog

from contract.redis.broker import connect
from contract.redis.server_check import check_server
from contract.service.health import health_server
from contract.service.lifecycle import private_files, run, stop_on_signal, stop_with_parent
from contract.service.logs import configure
from contract.service.settings import load
from inference_service import engines
from inference_service.service import build
from inference_service.settings import InferenceSettings


def main() -> None:
    """Run the worker until a signal arrives or the parent process ends."""
    run(_work)


def _work() -> None:
    private_files()
    settings = load(InferenceSettings)
    configure(service="inference", level=settings.log_level, as_json=settings.log_json)
    check_server(settings.redis_url)
    logger = structlog.get_logger()
    with stop_on_signal() as stop:
        stop_with_parent(stop)
        engine = engines.load(settings)
        with closing(connect(settings.redis_url, "emotii-inference")) as clients:
            worker = build(settings, engine, clients)
            with health_server(
                settings.metrics_host, settings.metrics_port, worker.alive, settings.allowed_hosts
            ) as port:
                logger.info("worker started", engine=engine.name, model=engine.card.id, metrics_port=port)
                worker.run(stop, port)
                logger.info("worker stopped")


if __name__ == "__main__":
    main()
