"""The faces of pictures that have nothing to do with each other."""

import time

from capture_service import detectors
from capture_service.faces.pipeline import FaceFinder
from capture_service.publishing.frames import FramePublisher
from capture_service.settings import CaptureSettings
from capture_service.sources.image_decoding import decode
from contract.messages import Crop, CropEntry, FrameDone, FrameId, InboxPicture
from contract.redis.broker import Clients


class PictureFaces:
    """Looks at pictures that are handed in, and shows them to whoever watches. Brings OpenCV and a detector with it.

    Raises:
        EmotiiError: a setting or a file of the detector cannot be used.
    """

    def __init__(self, source: str, clients: Clients, settings: CaptureSettings) -> None:
        self._faces = FaceFinder(source, detectors.configured(settings, None))
        self._view = FramePublisher(clients.commands, source, settings)
        self._max_bytes = settings.picture_max_bytes
        self._epoch = ""

    def find(self, handed_in: InboxPicture, name: FrameId) -> tuple[list[CropEntry], FrameDone]:
        """The crops of a picture, and its "frame done".

        Raises:
            PictureError: it cannot be decoded.
        """
        picture = decode(handed_in.picture, self._max_bytes)
        if handed_in.epoch != self._epoch:
            self._epoch = handed_in.epoch
            self._faces.begin()
        height, width = picture.shape[:2]
        found = self._faces.find(picture, time.monotonic())
        self._view.publish(name, handed_in.sent_ms, picture, found)
        crops: list[CropEntry] = [
            Crop(name, one.face, handed_in.sent_ms, handed_in.deadline_ms, one.pixels) for one in found
        ]
        return crops, FrameDone(name, handed_in.sent_ms, len(crops), width, height)
