"""The names of everything in Redis. The braces are a hash tag: a source's keys share a slot of a Redis Cluster."""

import re

from contract.errors import SourceError

SOURCE_NAME = re.compile(r"[a-z0-9_-]{1,32}")

SOURCES = "emotii:sources"
"""Hash: source name -> `messages.SourceStatus` as JSON, renewed by the process that captures it."""

WORKERS = "emotii:workers"
"""Hash: consumer id -> `messages.WorkerStatus` as JSON, renewed by the worker."""

ADDED_SOURCES = "emotii:desired"
"""Hash: source name -> `messages.AddedSource` as JSON: what is captured beside what the configuration names."""

SETTINGS = "emotii:settings"
"""Hash: field of `product.ProductSettings` -> its value as JSON, where it was changed."""

JOBS = "emotii:jobs"
"""Hash: job id -> `messages.job.JobStatus` as JSON: recordings that were handed in over REST."""

JOBS_RUNNER = "emotii:jobs:runner"
"""String that expires: there while a jobs service runs."""

GATEWAYS = "emotii:gateways"
"""Hash: gateway -> when it was there last, in Redis's ms; renewed twice a second."""

ERASURES = "emotii:erasures"
"""Hash: id -> `contract.messages.erasure.Erasure` as JSON: what people want to be gone."""

ERASED = "emotii:erased"
"""Hash: erasure's id/gateway -> what that gateway did for it, as JSON (`contract.messages.erasure.Report`)."""

INFERENCE_GROUP = "inference"
"""The consumer group of the workers on every crops stream."""

CAPTURE_GROUP = "capture"
"""The consumer group of the capture process on an inbox stream."""

UPLOADS = "uploads"
"""The source through which single pictures go; every capture service can own it."""

JOB_KEYS_SECONDS = 180
"""How long the keys of a job stay when the process that runs it does not renew them, as it does once a second: longer
than the outage that a job survives without sending anything again."""


def source_name(name: str) -> str:
    """`name`, if it can name a source.

    Raises:
        SourceError: it has other characters than `a-z 0-9 _ -`, or not 1 to 32 of them.
    """
    if not SOURCE_NAME.fullmatch(name):
        raise SourceError(f"{name[:40]!r} cannot name a source: use 1 to 32 of a-z, 0-9, _ and -")
    return name


def crops(source: str) -> str:
    """Stream: one entry a face, then one "frame done"; a job ends with its manifest."""
    return f"emotii:{{{source}}}:crops"


def results(source: str) -> str:
    """Stream: one outcome for every entry of the crops stream that was not buried."""
    return f"emotii:{{{source}}}:results"


def dead(source: str) -> str:
    """Stream: what could not be read or classified, with the reason."""
    return f"emotii:{{{source}}}:dead"


def inbox(source: str) -> str:
    """Stream: pictures handed in to the capture service."""
    return f"emotii:{{{source}}}:inbox"


def quarantined(source: str) -> str:
    """Set: ids of crops that are being run alone, because several workers went silent with them."""
    return f"emotii:{{{source}}}:alone"


def snapshot(source: str) -> str:
    """String: the steady results of the source as JSON, for gateways that start (`api_gateway.results.snapshots`)."""
    return f"emotii:{{{source}}}:steady"


def erasing(source: str) -> str:
    """Stream: what stays of another stream of the source, for the moment in which that is written anew."""
    return f"emotii:{{{source}}}:erasing"


def of_job(source: str) -> tuple[str, str, str, str]:
    """Everything in Redis that belongs to one source that is a job, but its place in `SOURCES`."""
    return crops(source), results(source), dead(source), quarantined(source)


def of_camera(source: str) -> tuple[str, ...]:
    """As `of_job`, of a source that is a camera."""
    return *of_job(source), inbox(source)


def frames(source: str) -> str:
    """Channel (not a stream): each frame's faces and, while somebody listens, its JPEG."""
    return f"emotii:{{{source}}}:frames"


def camera(source: str) -> str:
    """The task of the gateway whose browser sends the pictures of this source."""
    return f"camera-{source}"


def lease(task: str) -> str:
    """String: which process has the task for now."""
    return f"emotii:lease:{task}"
