"""The settings of the capture service."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from contract.address import DetectorName
from contract.network import CameraNetworks
from contract.service.settings import Duration, ServiceSettings

SLOW_FRAMES = 2
"""A source with a low frame rate gets the time of this many frames before one counts as missing."""
SHORTEST, LONGEST = timedelta(milliseconds=50), timedelta(minutes=10)


class CaptureSettings(ServiceSettings):
    """The sources, the detection of faces, and time limits."""

    metrics_port: Annotated[int, Field(ge=0, le=65000)] = Field(
        0,
        description="Port on which the service serves health and metrics. The process of each source takes one of the "
        "following ports, in their order. 0: free ports.",
    )
    sources: str = Field(
        "demo=demo",
        description="Sources to capture: NAME=ADDRESS, separated by commas. ADDRESS is the number of a webcam, a "
        "video file, a folder of pictures, rtsp://, rtsps://, http:// or https://, `inbox` or `demo`. "
        "Files and folders accept ?loop=1&fps=5. `none`: only uploaded pictures.",
    )
    sources_file: Path | None = Field(
        None,
        description="Path of a sources.toml, which replaces EMOTII_SOURCES (passwords in it may contain commas).",
    )
    camera_networks: CameraNetworks = ()
    detector: DetectorName = Field("blazeface", description="Face detector: blazeface, or haar as in older releases.")
    detector_min_score: Annotated[float, Field(ge=0.1, le=0.99)] = Field(
        0.5, description="Minimum score of a detected face, 0.1 to 0.99 (blazeface only)."
    )
    detect_every: Duration = Field(
        timedelta(milliseconds=200),
        description="Interval of face detection in a live source. Between detections the faces are tracked; if "
        "tracking is not reliable, the next frame is searched. 0: detection in every frame, as in "
        "analysed recordings.",
    )
    max_faces: Annotated[int, Field(ge=1, le=1000)] = Field(
        50, description="Maximum number of faces per frame; those with the best scores are kept."
    )
    crop_life: Duration = Field(
        timedelta(milliseconds=450),
        description="Deadline of a crop of a live source: workers drop older crops, so that the latency of a result "
        "is at most 0.5 s.",
    )
    backlog_limit: Annotated[int, Field(ge=1, le=100_000)] = Field(
        100,
        description="Maximum number of entries of a live source that wait for workers; beyond it, frames are skipped "
        "and counted.",
    )
    job_backlog_limit: Annotated[int, Field(ge=100, le=1_000_000)] = Field(
        5000,
        description="Maximum number of entries of a job that wait for workers or for the reader; beyond it, reading "
        "pauses.",
    )
    view_quality: Annotated[int, Field(ge=10, le=100)] = Field(
        80, description="JPEG quality of the frames for viewing, 10 to 100."
    )
    view_width: Annotated[int, Field(ge=160, le=7680)] = Field(
        960, description="Maximum width of the frames for viewing, in pixels; wider frames are scaled down."
    )
    reconnect_first: Duration = Field(
        timedelta(milliseconds=500), description="First pause before a failed source is reopened."
    )
    reconnect_longest: Duration = Field(
        timedelta(seconds=10), description="Maximum pause before a failed source is reopened."
    )
    stall_timeout: Duration = Field(
        timedelta(seconds=4), description="A source that delivers no frame for this long is reopened."
    )
    open_timeout: Duration = Field(timedelta(seconds=5), description="Timeout for opening a stream.")
    picture_max_bytes: Annotated[int, Field(ge=1000, le=200_000_000)] = Field(
        20_000_000, description="Maximum size of an uploaded picture, in bytes."
    )
    picture_max_megapixels: Annotated[int, Field(ge=1, le=1000)] = Field(
        40, description="Maximum size of a picture or frame that is decoded, in megapixels."
    )

    process_memory_mb: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        4096,
        description="Maximum address space of the process of a source or a job, in megabytes; 0: no limit. "
        "Libraries map 0.9 GB; the Haar detector needs 3 GB for a frame of 40 megapixels.",
    )

    def stall_seconds(self, fps: float | None) -> float:
        """How long a source with this frame rate, if one is configured, may deliver no frame."""
        return max(self.stall_timeout.total_seconds(), SLOW_FRAMES / fps if fps else 0.0)

    @field_validator("detect_every")
    @classmethod
    def _frequent(cls, value: timedelta) -> timedelta:
        if not timedelta(0) <= value <= timedelta(seconds=2):
            raise ValueError("use 0 to 2s")
        return value

    @field_validator("crop_life", "reconnect_first", "reconnect_longest", "stall_timeout", "open_timeout")
    @classmethod
    def _bounded(cls, value: timedelta) -> timedelta:
        if not SHORTEST <= value <= LONGEST:
            raise ValueError("use 50ms to 10min")
        return value
