"""Sources of frames: one protocol, and an implementation for each kind."""

from collections.abc import Callable
from typing import Protocol

from capture_service.frame import Frame
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from contract.errors import SourceError


class Source(Protocol):
    """A source of frames, for use by one thread."""

    @property
    def pace(self) -> float | None:
        """Frames a second of a recording; None for a live source. Known once it is open."""

    @property
    def polled(self) -> bool:
        """Whether every `read` requests a picture, so that the reader sets the pace. Known once it is open."""

    def open(self) -> None:
        """Open the source, or begin again at its start.

        Raises:
            SourceError: it cannot be opened now.
        """

    def read(self) -> Frame | None:
        """The next frame, None at the end of a recording.

        Raises:
            SourceError: a live source broke off.
        """

    def skip(self) -> bool:
        """Skip the next frame, without decoding it where that is possible; False at the end."""

    def close(self) -> None:
        """Close the source; it can be opened again."""


class Recorded(Source, Protocol):
    """A source with an end."""

    @property
    def total(self) -> int | None:
        """Frames of all passes, if the file counts them; None if it does not, or if it loops."""

    @property
    def expected(self) -> int | None:
        """As `total`, or estimated by duration and frame rate."""

    def picture(self, number: int) -> str | None:
        """The name of this frame's file; None if one file holds all frames. Known once it was open."""


def source_maker(spec: SourceSpec, settings: CaptureSettings) -> Callable[[], Source]:
    """Makes the source of `spec`, not yet opened, again and again; what is found out about a camera is kept.

    An inbox has no source: its pictures are read from Redis.
    """
    match spec.kind:
        case "webcam":
            from capture_service.sources.camera import Camera

            return lambda: Camera(spec, settings)
        case "stream":
            from capture_service.streams.camera import StreamCamera
            from capture_service.streams.rtsp_stream import RtspTransport

            transport = RtspTransport()
            return lambda: StreamCamera(spec, settings, transport)
        case _:
            return lambda: make_recorded(spec, settings)


def make_recorded(spec: SourceSpec, settings: CaptureSettings) -> Recorded:
    """A file or folder, not yet opened.

    Raises:
        SourceError: it is something else.
    """
    from capture_service.sources.pictures import Pictures
    from capture_service.sources.recording import Recording

    match spec.kind:
        case "file":
            return Recording(spec, settings)
        case "pictures":
            return Pictures(spec, settings)
        case _:
            raise SourceError(f"{spec.safe} is not a recording")
