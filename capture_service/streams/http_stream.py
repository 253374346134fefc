"""Streams over HTTP: motion JPEG, one picture an answer, or a container such as MPEG-TS, FLV or MP4."""

from collections.abc import Sequence
from http.client import HTTPException

import cv2
import numpy as np

from capture_service.frame import Picture
from capture_service.settings import CaptureSettings
from capture_service.sources.image_decoding import decode
from capture_service.sources.reasons import connection_reason
from capture_service.sources.spec import SourceSpec
from capture_service.streams.container_frames import ContainerFrames
from capture_service.streams.containers import open_body, open_playlist
from capture_service.streams.frames import Grabbed, StreamFailure, StreamFrames
from capture_service.streams.http_body import HttpBody
from capture_service.streams.http_client import HttpClient
from capture_service.streams.jpeg_stream import JpegStream
from contract.errors import PictureError
from contract.network import Address
from contract.stream_url import StreamUrl

MOST_FAILURES = 2
"""So many requests in a row may fail before a camera that answers with single pictures counts as broken."""


def open_http(
    url: StreamUrl, addresses: Sequence[Address] | None, spec: SourceSpec, settings: CaptureSettings
) -> StreamFrames:
    """The frames of an HTTP stream.

    Args:
        url: of the stream.
        addresses: the checked ones of an added stream. It follows no redirect and no playlist.
        spec: of the source.
        settings: of the capture service.

    Raises:
        StreamFailure: it cannot be opened; the message says why.
    """
    client = HttpClient(url, addresses, follows=addresses is None)
    try:
        return _opened(client, url, addresses is None, spec, settings)
    except BaseException:
        client.close()
        raise


def _opened(
    client: HttpClient, url: StreamUrl, configured: bool, spec: SourceSpec, settings: CaptureSettings
) -> StreamFrames:
    seconds = settings.stall_seconds(spec.fps)
    body = _requested(client, settings.open_timeout.total_seconds())
    body.begin(max(settings.open_timeout.total_seconds(), seconds))
    match body.kind():
        case "picture":
            return SinglePictures(client, _picture(body, settings.picture_max_bytes), seconds, settings)
        case "jpegs":
            jpegs = JpegStream(body.read, settings.picture_max_bytes, body.boundary)
            if not body.multipart and (first := jpegs.next()) is not None:
                if jpegs.at_end():
                    return SinglePictures(client, first, seconds, settings)
                return MotionJpeg(client, body, jpegs, seconds, settings, first)
            return MotionJpeg(client, body, jpegs, seconds, settings)
        case "playlist" if configured:
            client.close()
            return ContainerFrames(open_playlist(url.at(url.host), settings, seconds), settings)
        case "playlist":
            raise StreamFailure("the camera sends a playlist; only sources in EMOTII_SOURCES may be playlists")
        case "container":
            container = open_body(body, settings)
            return ContainerFrames(
                container, settings, lambda: body.begin(seconds), lambda: body.failure, on_close=client.close
            )


def _requested(client: HttpClient, seconds: float) -> HttpBody:
    try:
        return HttpBody(client.get(seconds), client)
    except (OSError, HTTPException, UnicodeError) as error:
        raise StreamFailure(connection_reason(error)) from error


class _Jpeg:
    """An encoded picture."""

    def __init__(self, encoded: bytes, pictures: "_Pictures") -> None:
        self._encoded, self._pictures = encoded, pictures

    def picture(self) -> Picture | None:
        return self._pictures.decoded(self._encoded)


class _Pictures:
    """Decodes the pictures of a camera; each has the size of the first, as trackers expect it."""

    def __init__(self, settings: CaptureSettings) -> None:
        self._max_bytes = settings.picture_max_bytes
        self._max_pixels = settings.picture_max_megapixels * 1_000_000
        self._size: tuple[int, int] | None = None

    def decoded(self, encoded: bytes) -> Picture | None:
        try:
            picture = decode(encoded, self._max_bytes, self._max_pixels)
        except PictureError:
            return None
        self._size = self._size or (picture.shape[1], picture.shape[0])
        if picture.shape[1::-1] != self._size:
            picture = np.asarray(cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA), np.uint8)
        return picture


class MotionJpeg:
    """JPEGs in one response without an end."""

    polled = False

    def __init__(
        self,
        client: HttpClient,
        body: HttpBody,
        jpegs: JpegStream,
        seconds: float,
        settings: CaptureSettings,
        first: bytes | None = None,
    ) -> None:
        self._client, self._body, self._jpegs, self._seconds = client, body, jpegs, seconds
        self._first = first
        self._pictures = _Pictures(settings)

    def grab(self) -> Grabbed:
        self._body.begin(self._seconds)
        encoded, self._first = self._first or self._jpegs.next(), None
        if encoded is None or self._body.failure is not None:
            raise StreamFailure(self._body.failure or "the camera ended the stream")
        return _Jpeg(encoded, self._pictures)

    def close(self) -> None:
        self._client.close()


class SinglePictures:
    """One picture an answer, as many network cameras offer it beside their streams."""

    polled = True

    def __init__(self, client: HttpClient, first: bytes, seconds: float, settings: CaptureSettings) -> None:
        self._client, self._seconds = client, seconds
        self._most = settings.picture_max_bytes
        self._first: bytes | None = first
        self._failures = 0
        self._pictures = _Pictures(settings)

    def grab(self) -> Grabbed:
        encoded, self._first = self._first, None
        if encoded is None:
            try:
                encoded = self._requested()
                self._failures = 0
            except StreamFailure:
                self._failures += 1
                if self._failures >= MOST_FAILURES:
                    raise
                encoded = b""
        return _Jpeg(encoded, self._pictures)

    def close(self) -> None:
        self._client.close()

    def _requested(self) -> bytes:
        body = _requested(self._client, self._seconds)
        try:
            if body.kind() not in {"picture", "jpegs"}:
                raise StreamFailure("the camera sends no picture any more")
            return _picture(body, self._most)
        except StreamFailure:
            self._client.close()
            raise


def _picture(body: HttpBody, most: int) -> bytes:
    """The first picture of a body, all of which is read."""
    encoded = body.all(most)
    if body.failure is not None:
        raise StreamFailure(body.failure)
    if len(encoded) > most:
        raise StreamFailure(f"a picture has more than {most} bytes (EMOTII_PICTURE_MAX_BYTES)")
    if body.multipart or not encoded.startswith(b"\xff\xd8"):
        parts = iter((encoded, b""))
        return JpegStream(lambda: next(parts), most, body.boundary).next() or encoded
    return encoded
