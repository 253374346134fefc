"""Reading the frames of a recording a second time, to draw on them or to cut faces out of them."""

from collections.abc import Callable, Iterator
from contextlib import closing

from capture_service.frame import Frame
from capture_service.settings import CaptureSettings
from capture_service.sources import Recorded, make_recorded
from capture_service.sources.spec import SourceSpec

FrameCallback = Callable[[int], None]
"""Called after every frame with the number of frames that are done. An exception that it raises ends the drawing."""


def open_recording(spec: SourceSpec, settings: CaptureSettings) -> Recorded:
    """The recording, at its first frame.

    Raises:
        SourceError: it cannot be opened any more.
    """
    recording = make_recorded(spec, settings)
    recording.open()
    return recording


def read_frames(
    spec: SourceSpec, settings: CaptureSettings, numbers: set[int], on_frame: FrameCallback
) -> Iterator[Frame]:
    """The frames with these numbers, in order; the others are skipped without being decoded.

    Raises:
        SourceError: the recording cannot be read any more.
    """
    last = max(numbers, default=-1)
    with closing(open_recording(spec, settings)) as recording:
        for number in range(last + 1):
            on_frame(number)
            if number in numbers:
                if (frame := recording.read()) is None:
                    return
                yield frame
            elif not recording.skip():
                return
