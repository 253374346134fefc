"""The settings of the capture service."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from contract.address import DetectorName
from contract.network import CameraNetworks
from contract.service.settings import Duration, ServiceSettings

SHORTEST, LONGEST = timedelta(milliseconds=50), timedelta(minutes=10)


class CaptureSettings(ServiceSettings):
    """The sources, the detection of faces, and time limits."""

    metrics_port: Annotated[int, Field(ge=0, le=65000)] = Field(
        0,
        description="Port of health and metrics of the service; the process of each source takes one of the "
        "following ports, in their order. 0 takes free ones.",
    )
    sources: str = Field(
        "demo=demo",
        description="The sources: NAME=ADDRESS, separated by commas. An ADDRESS is a webcam's number, a video "
        "file, a folder of pictures, rtsp://, rtsps://, http:// or https://, `inbox` or `demo`; files and folders take "
        "?loop=1&fps=5. `none`: only uploaded pictures.",
    )
    sources_file: Path | None = Field(
        None,
        description="A sources.toml, used instead of EMOTII_SOURCES (a password may hold commas there).",
    )
    camera_networks: CameraNetworks = ()
    detector: DetectorName = Field(
        "blazeface", description="The detector of faces: blazeface, or haar as in older releases."
    )
    detector_min_score: Annotated[float, Field(ge=0.1, le=0.99)] = Field(
        0.5, description="The least score of a face, 0.1 to 0.99 (blazeface only)."
    )
    detect_every: Duration = Field(
        timedelta(milliseconds=200),
        description="How often faces are detected in a live source; in between, detected faces are followed, and the "
        "next detection comes earlier where that is not safe. 0: in every frame, as in recordings.",
    )
    max_faces: Annotated[int, Field(ge=1, le=1000)] = Field(
        50, description="The most faces of one frame; those with the best scores are kept."
    )
    crop_life: Duration = Field(
        timedelta(milliseconds=450),
        description="The deadline of a crop of a live source, so that the latency of a result is at most 0.5 s.",
    )
    backlog_limit: Annotated[int, Field(ge=1, le=100_000)] = Field(
        100, description="Entries of a live source that wait for workers; over it, frames are skipped and counted."
    )
    job_backlog_limit: Annotated[int, Field(ge=100, le=1_000_000)] = Field(
        5000, description="Entries of a job that wait for workers or for the reader; over it, reading waits."
    )
    view_quality: Annotated[int, Field(ge=10, le=100)] = Field(
        80, description="JPEG quality of the frames for viewing, 10 to 100."
    )
    view_width: Annotated[int, Field(ge=160, le=7680)] = Field(
        960, description="Frames for viewing are scaled down to this width in pixels."
    )
    reconnect_first: Duration = Field(
        timedelta(milliseconds=500), description="The first pause before a broken source is opened again."
    )
    reconnect_longest: Duration = Field(
        timedelta(seconds=10), description="The longest pause before a broken source is opened again."
    )
    stall_timeout: Duration = Field(
        timedelta(seconds=4), description="A source without a frame for this long is broken and is opened again."
    )
    open_timeout: Duration = Field(timedelta(seconds=5), description="How long opening a stream may take.")
    picture_max_bytes: Annotated[int, Field(ge=1000, le=200_000_000)] = Field(
        20_000_000, description="The largest picture that can be uploaded, in bytes."
    )
    picture_max_megapixels: Annotated[int, Field(ge=1, le=1000)] = Field(
        40, description="The largest picture or frame that is decoded, in millions of pixels."
    )

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
