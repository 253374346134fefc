"""Sources that give frames: one small protocol, an implementation for each kind."""

from typing import Protocol

from capture_service.frame import Frame
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from contract.errors import SourceError


class Source(Protocol):
    """What frames come from. Used by one thread."""

    @property
    def pace(self) -> float | None:
        """Frames a second that a recording shows; None for a source that sets the pace itself. Known once open."""

    def open(self) -> None:
        """Open it, or begin again at the start.

        Raises:
            SourceError: it cannot be opened now.
        """

    def read(self) -> Frame | None:
        """The next frame, None at the end of a recording.

        Raises:
            SourceError: a live source broke off.
        """

    def skip(self) -> bool:
        """Pass over the next frame without decoding it where that is possible; False at the end."""

    def close(self) -> None:
        """Let go of it; `open` works again afterwards."""


class Recorded(Source, Protocol):
    """A source with an end."""

    @property
    def total(self) -> int | None:
        """Frames of all passes, as far as is known before reading them; None if it is not, or if it loops."""

    def picture(self, number: int) -> str | None:
        """The name of the file that is this frame; None where one file holds all frames. Known once it was open."""


def make_source(spec: SourceSpec, settings: CaptureSettings) -> Source:
    """The source of `spec`, not yet opened. An inbox is none: its pictures are read from Redis."""
    if spec.kind in {"webcam", "stream"}:
        from capture_service.sources.camera import Camera

        return Camera(spec, settings)
    return make_recorded(spec, settings)


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
            return Pictures(spec)
        case _:
            raise SourceError(f"{spec.safe} is no recording")
