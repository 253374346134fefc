"""A camera on the network: live, without an end."""

import time

from capture_service.frame import Frame
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from capture_service.streams.frames import Grabbed, StreamFailure, StreamFrames
from capture_service.streams.http_stream import open_http
from capture_service.streams.rtsp_stream import RtspTransport, open_rtsp
from contract.errors import SourceError
from contract.network import StreamRules
from contract.stream_url import stream_url


class StreamCamera:
    """Frames as the stream sends them, or as the camera answers requests for single pictures.

    Args:
        spec: of the source.
        settings: of the capture service.
        transport: what the camera was found to support when it was opened before.
    """

    pace: float | None = None

    def __init__(self, spec: SourceSpec, settings: CaptureSettings, transport: RtspTransport | None = None) -> None:
        self._spec = spec
        self._settings = settings
        self._transport = transport or RtspTransport()
        self._frames: StreamFrames | None = None
        self._number = 0

    @property
    def polled(self) -> bool:
        return self._frames is not None and self._frames.polled

    def open(self) -> None:
        self.close()
        self._number = 0
        url = stream_url(self._spec.name, self._spec.address)
        addresses = None
        if self._spec.added:
            rules = StreamRules(self._settings.camera_networks, self._settings.redis_url)
            addresses = rules.destinations(self._spec.name, self._spec.address)
        try:
            if url.scheme in {"http", "https"}:
                self._frames = open_http(url, addresses, self._spec, self._settings)
            else:
                self._frames = open_rtsp(url, addresses, self._spec, self._settings, self._transport)
        except StreamFailure as failure:
            raise SourceError(f"cannot open {self._spec.safe}: {failure}") from failure

    def read(self) -> Frame:
        grabbed = self._grab()
        taken = time.monotonic()
        picture = grabbed.picture()
        number, self._number = self._number, self._number + 1
        return Frame(number, taken, picture, "" if picture is not None else "the frame could not be decoded")

    def skip(self) -> bool:
        self._grab()
        self._number += 1
        return True

    def close(self) -> None:
        if self._frames is not None:
            self._frames.close()
            self._frames = None

    def _grab(self) -> Grabbed:
        if self._frames is None:
            raise SourceError(f"{self._spec.safe} is not open")
        try:
            return self._frames.grab()
        except StreamFailure as failure:
            raise SourceError(f"{self._spec.safe} sends no more frames: {failure}") from failure
