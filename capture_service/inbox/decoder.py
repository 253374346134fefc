"""The decoder of uploaded pictures, as the capture of an inbox sees it: a process that can be killed at any time."""

from capture_service.inbox.picture_process import READY, Found
from capture_service.settings import CaptureSettings
from contract.errors import BrokerUnavailable, PictureError
from contract.messages import FrameId, InboxPicture
from contract.service.child_process import ChildEnded, ChildProcess

MODULE = "capture_service.inbox.picture_process"


class PictureDecoder:
    """Finds the faces of pictures, one after the other. The process starts with the first picture, since it is large.

    Args:
        source: the name of the inbox.
        settings: of the capture.
    """

    def __init__(self, source: str, settings: CaptureSettings) -> None:
        self._arguments = source, settings
        self._child: ChildProcess | None = None
        self._is_ready = False

    def ready(self, seconds: float) -> bool:
        """Whether the process can take a picture; starts it if necessary, and waits for it up to `seconds`.

        Raises:
            ChildEnded: the process cannot start; its message is on stderr.
        """
        if self._child is None:
            self._child = ChildProcess(MODULE)
            self._child.send(self._arguments)
        if not self._is_ready:
            try:
                self._is_ready = self._child.receive(seconds) == READY
            except ChildEnded:
                self.kill()
                raise
        return self._is_ready

    def submit(self, picture: InboxPicture, name: FrameId) -> None:
        """Send a picture to the process, which is ready and has returned the picture before.

        Raises:
            PictureError: the process has ended.
        """
        assert self._child is not None  # noqa: S101 - for mypy
        try:
            self._child.send((picture, name))
        except ChildEnded as error:
            self.restart()
            raise PictureError(f"it cannot be decoded: {error}") from error

    def result(self, seconds: float) -> Found | None:
        """The faces of the submitted picture; None if the process needs longer than `seconds`.

        Raises:
            PictureError: the picture cannot be decoded.
            BrokerUnavailable: Redis cannot be reached; submit the picture again later.
        """
        assert self._child is not None  # noqa: S101 - for mypy
        try:
            found: Found | PictureError | BrokerUnavailable | None = self._child.receive(seconds)
        except ChildEnded as error:
            self.restart()
            raise PictureError(f"it cannot be decoded: {error}") from error
        if isinstance(found, PictureError | BrokerUnavailable):
            raise found
        return found

    def kill(self) -> None:
        """End the process."""
        if self._child is not None:
            self._child.kill()
        self._child, self._is_ready = None, False

    def restart(self) -> None:
        """Give up a submitted picture: end the process, and start another one for the next picture."""
        self.kill()
        self.ready(0)
