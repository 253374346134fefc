"""The frames of a container that FFmpeg reads from the network."""

from collections.abc import Callable

import av
from av.container import InputContainer

from capture_service.settings import CaptureSettings
from capture_service.sources.frame_decoding import FrameReader, best_video
from capture_service.sources.reasons import ffmpeg_reason
from capture_service.streams.frames import Grabbed, StreamFailure


class ContainerFrames:
    """Frames of the video stream that a player shows.

    Args:
        container: open, with a video stream.
        settings: of the capture service.
        before_grab: called before each frame; may raise `StreamFailure`.
        failure: returns why the bytes ended, if that is known better than FFmpeg knows it.
        on_close: called behind the end.

    Raises:
        StreamFailure: its video cannot be decoded; the container is closed.
    """

    polled = False

    def __init__(
        self,
        container: InputContainer,
        settings: CaptureSettings,
        before_grab: Callable[[], None] = lambda: None,
        failure: Callable[[], str | None] = lambda: None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._container = container
        self._before_grab = before_grab
        self._failure = failure
        self._on_close = on_close
        max_pixels = settings.picture_max_megapixels * 1_000_000
        stream = best_video(container)
        if stream is None:
            container.close()
            raise StreamFailure("its video is encrypted, or in a format that cannot be decoded")
        self._reader = FrameReader(container, stream, max_pixels)

    def grab(self) -> Grabbed:
        self._before_grab()
        try:
            grabbed = self._reader.grab()
        except av.FFmpegError as error:
            raise StreamFailure(self._failure() or ffmpeg_reason(error)) from error
        if grabbed is None:
            raise StreamFailure(self._failure() or "the camera ended the stream")
        return grabbed

    def close(self) -> None:
        self._container.close()
        self._on_close()
