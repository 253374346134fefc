"""Frames for viewers, on the frames channel."""

from collections.abc import Sequence

import cv2
import redis

from capture_service.faces.pipeline import FoundFace
from capture_service.frame import Picture
from capture_service.settings import CaptureSettings
from contract import keys
from contract.messages import FrameFace, FrameHeader, FrameId
from contract.redis.broker import outages_named


class FramePublisher:
    """Publishes each frame's faces and, while the channel has subscribers, its JPEG."""

    def __init__(self, client: redis.Redis, source: str, settings: CaptureSettings) -> None:
        self._client = client
        self._channel = keys.frames(source)
        self._width = settings.view_width
        self._quality = settings.view_quality
        self._has_subscribers = False

    def publish(self, frame: FrameId, captured_ms: int, picture: Picture, found: Sequence[FoundFace]) -> None:
        """Publish a frame. The header has the size and boxes of the frame as captured, whatever the JPEG's size.

        Raises:
            BrokerUnavailable: Redis cannot be reached; the frame is not published.
        """
        height, width = picture.shape[:2]
        faces = tuple(
            FrameFace(index=one.face.index, track=one.face.track, box=one.face.box, score=one.face.score)
            for one in found
        )
        header = FrameHeader(
            source=frame.source,
            epoch=frame.epoch,
            frame=frame.frame,
            captured_ms=captured_ms,
            width=width,
            height=height,
            faces=faces,
        )
        with outages_named():
            receivers = self._client.publish(
                self._channel, header.encode(self._jpeg(picture) if self._has_subscribers else b"")
            )
        self._has_subscribers = receivers > 0

    def _jpeg(self, picture: Picture) -> bytes:
        height, width = picture.shape[:2]
        if width > self._width:
            size = self._width, max(1, round(height * self._width / width))
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(picture.dtype, copy=False)
        encoded, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return jpeg.tobytes() if encoded else b""
