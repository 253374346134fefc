"""The faces of uploaded pictures."""

import time

from capture_service import detectors
from capture_service.faces.pipeline import FaceFinder
from capture_service.publishing.frames import FramePublisher
from capture_service.settings import CaptureSettings
from capture_service.sources.image_decoding import decode
from contract.messages import Crop, CropEntry, FrameDone, FrameId, InboxPicture
from contract.redis.broker import Clients


class PictureFaces:
    """Finds the faces of uploaded pictures and publishes the pictures to viewers. Imports OpenCV and a detector.

    Raises:
        EmotiiError: a setting or a file of the detector cannot be used.
    """

    def __init__(self, source: str, clients: Clients, settings: CaptureSettings) -> None:
        self._faces = FaceFinder(source, detectors.configured(settings, None))
        self._frames = FramePublisher(clients.commands, source, settings)
        self._max_bytes = settings.picture_max_bytes
        self._max_pixels = settings.picture_max_megapixels * 1_000_000
        self._epoch = ""

    def find(self, uploaded: InboxPicture, name: FrameId) -> tuple[list[CropEntry], FrameDone]:
        """The crops of a picture, and its "frame done".

        Raises:
            PictureError: it cannot be decoded.
        """
        picture = decode(uploaded.picture, self._max_bytes, self._max_pixels)
        if uploaded.epoch != self._epoch:
            self._epoch = uploaded.epoch
            self._faces.begin()
        height, width = picture.shape[:2]
        found = self._faces.find(picture, time.monotonic())
        self._frames.publish(name, uploaded.sent_ms, picture, found)
        crops: list[CropEntry] = [
            Crop(name, one.face, uploaded.sent_ms, uploaded.deadline_ms, one.pixels) for one in found
        ]
        return crops, FrameDone(name, uploaded.sent_ms, len(crops), width, height)
