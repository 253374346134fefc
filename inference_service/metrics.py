"""The Prometheus metrics of a worker."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

CROPS = Counter("emotii_inference_crops", "Crops by outcome: ok, stale or dead.", ["outcome"])
BATCH = Histogram("emotii_inference_batch_crops", "Crops per batch of the engine.", buckets=[2**n for n in range(9)])
ENGINE_SECONDS = Histogram(
    "emotii_inference_engine_seconds",
    "Time of the engine for one batch.",
    buckets=[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2],
)
CROP_LATENCY = Histogram(
    "emotii_inference_crop_age_seconds",
    "Latency from capture to outcome, live sources only.",
    buckets=[0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5],
)
OUTAGES = Counter("emotii_inference_outages", "Times that Redis was unreachable or could not serve requests.")


@contextmanager
def engine_time(crops: int) -> Iterator[None]:
    """Observe the size and duration of one run of the engine; nothing if `crops` is 0."""
    started = time.perf_counter()
    yield
    if crops:
        BATCH.observe(crops)
        ENGINE_SECONDS.observe(time.perf_counter() - started)
