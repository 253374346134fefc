"""The names of everything in Redis. The braces are a hash tag: a source's keys share a slot of a Redis Cluster."""

import re

from contract.errors import SourceError

SOURCE_NAME = re.compile(r"[a-z0-9_-]{1,32}")

SOURCES = "emotii:sources"
"""Hash: source name -> `messages.SourceStatus` as JSON, renewed by the process that captures it."""

WORKERS = "emotii:workers"
"""Hash: consumer id -> `messages.WorkerStatus` as JSON, renewed by the worker."""

ADDED_SOURCES = "emotii:desired"
"""Hash: source name -> `messages.AddedSource` as JSON: the sources that people added."""

SETTINGS = "emotii:settings"
"""Hash: field of `runtime_settings.RuntimeSettings` -> its value as JSON, of fields that were changed."""

JOBS = "emotii:jobs"
"""Hash: job id -> `messages.job.JobStatus` as JSON: recordings that were uploaded over REST."""

JOBS_RUNNER = "emotii:jobs:runner"
"""String that expires: it exists while a jobs service runs."""

NOT_DURABLE = "emotii:not-durable"
"""String that expires: why the private server stores nothing on its disk now (`emotii.local.disk_guard`)."""

GATEWAYS = "emotii:gateways"
"""Hash: gateway -> its last heartbeat, in Redis's ms; renewed twice a second."""

ERASURES = "emotii:erasures"
"""Hash: id -> `contract.messages.erasure.Erasure` as JSON: requested erasures."""

ERASED = "emotii:erased"
"""Hash: erasure's id/gateway -> `contract.messages.erasure.Report` as JSON: what that gateway erased."""

INFERENCE_GROUP = "inference"
"""The consumer group of the workers on every crops stream."""

CAPTURE_GROUP = "capture"
"""The consumer group of the capture process on an inbox stream."""

UPLOADS = "uploads"
"""The source of uploaded pictures; every capture service can hold it."""

JOB_KEYS_SECONDS = 180
"""The TTL of a job's keys, renewed once a second by the process that runs the job: longer than the outage that a job
survives without sending anything again."""


def source_name(name: str) -> str:
    """`name`, if it is a valid name of a source.

    Raises:
        SourceError: it is not 1 to 32 of the characters `a-z 0-9 _ -`.
    """
    if not SOURCE_NAME.fullmatch(name):
        raise SourceError(f"{name[:40]!r} cannot name a source: use 1 to 32 of a-z, 0-9, _ and -")
    return name


def crops(source: str) -> str:
    """Stream: one entry a face, then one "frame done"; a job ends with its manifest."""
    return f"emotii:{{{source}}}:crops"


def results(source: str) -> str:
    """Stream: one outcome for every entry of the crops stream that was not dead-lettered."""
    return f"emotii:{{{source}}}:results"


def dead(source: str) -> str:
    """Stream: entries that could not be read or classified, with the reason."""
    return f"emotii:{{{source}}}:dead"


def inbox(source: str) -> str:
    """Stream: pictures that were uploaded to the capture service."""
    return f"emotii:{{{source}}}:inbox"


def quarantined(source: str) -> str:
    """Set: ids of crops that are classified alone, because several workers went silent with them."""
    return f"emotii:{{{source}}}:alone"


def snapshot(source: str) -> str:
    """String: the state of the source's smoothing as JSON, for gateways that start (`api_gateway.results`)."""
    return f"emotii:{{{source}}}:steady"


def erasing(source: str) -> str:
    """Stream: the remaining entries of another stream of the source, while that stream is rewritten."""
    return f"emotii:{{{source}}}:erasing"


def of_job(source: str) -> tuple[str, str, str, str]:
    """All keys of a source that is a job; its field of `SOURCES` comes on top."""
    return crops(source), results(source), dead(source), quarantined(source)


def of_camera(source: str) -> tuple[str, ...]:
    """As `of_job`, for a source that is a camera."""
    return *of_job(source), inbox(source)


def frames(source: str) -> str:
    """Channel (not a stream): each frame's faces and, while it has subscribers, its JPEG."""
    return f"emotii:{{{source}}}:frames"


def camera(source: str) -> str:
    """The name of the lease that a gateway holds while a browser sends it the pictures of this source."""
    return f"camera-{source}"


def lease(task: str) -> str:
    """String: the process that holds the lease of this task."""
    return f"emotii:lease:{task}"
