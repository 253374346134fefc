"""The frames of a recording once more, for what is drawn on them or cut out of them."""

from collections.abc import Callable, Iterator
from contextlib import closing

from capture_service.frame import Frame
from capture_service.settings import CaptureSettings
from capture_service.sources import Recorded, make_recorded
from capture_service.sources.spec import SourceSpec

Look = Callable[[int], None]
"""Called for every frame with how many are done; what it raises ends the drawing."""


def opened(spec: SourceSpec, settings: CaptureSettings) -> Recorded:
    """The recording, at its beginning.

    Raises:
        SourceError: it cannot be opened any more.
    """
    recording = make_recorded(spec, settings)
    recording.open()
    return recording


def some_frames(spec: SourceSpec, settings: CaptureSettings, numbers: set[int], look: Look) -> Iterator[Frame]:
    """The frames of these numbers, in their order; those between are not decoded.

    Raises:
        SourceError: the recording cannot be read any more.
    """
    last = max(numbers, default=-1)
    with closing(opened(spec, settings)) as recording:
        for number in range(last + 1):
            look(number)
            if number in numbers:
                if (frame := recording.read()) is None:
                    return
                yield frame
            elif not recording.skip():
                return
