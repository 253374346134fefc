"""What Prometheus is told about a worker."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

CROPS = Counter("emotii_inference_crops", "Crops that have an outcome: ok, stale or dead.", ["outcome"])
BATCH = Histogram(
    "emotii_inference_batch_crops", "Crops given to the engine at once.", buckets=[2**n for n in range(9)]
)
ENGINE_SECONDS = Histogram(
    "emotii_inference_engine_seconds",
    "Time of the engine for one batch.",
    buckets=[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2],
)
CROP_AGE = Histogram(
    "emotii_inference_crop_age_seconds",
    "From capture to outcome, live sources only.",
    buckets=[0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5],
)
OUTAGES = Counter("emotii_inference_outages", "Times that Redis could not be reached or could not serve.")


@contextmanager
def engine_time(crops: int) -> Iterator[None]:
    """Observe one run of the engine over so many crops; none for 0."""
    started = time.perf_counter()
    yield
    if crops:
        BATCH.observe(crops)
        ENGINE_SECONDS.observe(time.perf_counter() - started)
