"""What the kinds of network streams have in common: frames that are grabbed one by one and decoded when requested."""

from typing import Protocol

from capture_service.frame import Picture


class Grabbed(Protocol):
    """A frame that was received and maybe not decoded."""

    def picture(self) -> Picture | None:
        """(height, width, 3) BGR, upright; None if it is damaged. Call it before the next frame is grabbed."""


class StreamFrames(Protocol):
    """The frames of an open stream."""

    polled: bool
    """Whether every `grab` requests a picture, so that the reader sets the pace."""

    def grab(self) -> Grabbed:
        """The next frame.

        Raises:
            StreamFailure: none comes; the message says why.
        """

    def close(self) -> None:
        """Close the stream."""


class StreamFailure(Exception):  # noqa: N818 - it becomes the reason of a source
    """A stream cannot be opened or read; the message is the reason, without address and password."""


class StreamTimeout(StreamFailure):
    """Nothing came in time."""

    def __init__(self) -> None:
        super().__init__("the camera does not respond in time")
