"""A worker process with `ObedientEngine`: `python -m tests.obedient_worker`."""

import os

from contract.redis.broker import connect
from contract.service.lifecycle import stop_on_signal
from contract.service.logs import configure
from contract.service.settings import load
from inference_service.service import build
from inference_service.settings import InferenceSettings
from tests.inference import ObedientEngine

if __name__ == "__main__":
    settings = load(InferenceSettings)
    configure(service="inference")
    with stop_on_signal() as stop:
        engine = ObedientEngine(float(os.environ.get("EMOTII_TEST_SECONDS_PER_BATCH", "0")))
        build(settings, engine, connect(settings.redis_url, "obedient")).run(stop)
