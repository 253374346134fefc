"""The file in the body of a request: a picture, which is read into memory, or a recording, which is streamed."""

from collections.abc import AsyncIterable, AsyncIterator

from fastapi import Request

from api_gateway.connections.request_bodies import announced_length
from api_gateway.uploads.errors import TooManyUploads, UnreadablePicture, UnsupportedMediaType, UploadTooLarge
from api_gateway.uploads.multipart import FormLimits, MultipartFile

FORM = "multipart/form-data"
FORM_OVERHEAD = 16 * 1024
"""Bytes that a form may add to its file: boundaries, headers, a few fields."""
ARRIVING_LIMIT = 64_000_000
"""Bytes of all pictures that are arriving at a time; a single picture may be larger."""
PICTURE_FORM = FormLimits(files=1, fields=8)
RECORDING_FORM = FormLimits(files=16, fields=64)
"""More than any page sends. Skipping a part costs as much time as kilobytes of a recording."""


class ArrivingPictures:
    """Reads pictures into memory, which limits all that arrive at a time together.

    Args:
        limit: of one picture's bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0

    async def read(self, request: Request) -> bytes:
        """The picture: form field `picture`, or the whole body with a content type `image/...`.

        Raises:
            UnsupportedMediaType: the body is neither.
            UploadTooLarge: the picture is above the limit.
            UnreadablePicture: it is empty.
            TooManyUploads: too many bytes of other pictures have arrived and are not complete.
            MalformedForm, MissingFile: as `MultipartFile` raises them.
        """
        picture = await self._collect(self._chunks(request))
        if len(picture) > self._limit:
            raise _picture_too_large(self._limit)
        if not picture:
            raise UnreadablePicture("the picture has no bytes")
        return picture

    def _chunks(self, request: Request) -> AsyncIterable[bytes]:
        kind, too_large = _media_type(request), _picture_too_large(self._limit)
        if kind == FORM:
            stream = _limited(request, self._limit + FORM_OVERHEAD, too_large)
            return MultipartFile(request.headers["content-type"], stream, "picture", limits=PICTURE_FORM, any_name=True)
        if kind.startswith("image/") or kind == "application/octet-stream":
            return _limited(request, self._limit, too_large)
        raise UnsupportedMediaType("send the picture as form field `picture` or as a body `image/...`")

    async def _collect(self, chunks: AsyncIterable[bytes]) -> bytes:
        picture = bytearray()
        try:
            async for chunk in chunks:
                others = self._bytes - len(picture)
                if others and self._bytes + len(chunk) > ARRIVING_LIMIT:
                    raise TooManyUploads("too many pictures are arriving; try again soon")
                picture += chunk
                self._bytes += len(chunk)
        finally:
            self._bytes -= len(picture)
        return bytes(picture)


def recording_of(request: Request, limit: int) -> MultipartFile:
    """The recording in form field `video`, before any of it is read.

    Args:
        request: with the body.
        limit: of the recording's bytes; here it applies to the body, whose other parts are skipped.

    Raises:
        UnsupportedMediaType: the body is not a form.
        UploadTooLarge: the request announces more bytes; reading them raises it, too.
        MalformedForm: the form states no boundary.
    """
    if _media_type(request) != FORM:
        raise UnsupportedMediaType("send the video as form field `video`")
    stream = _limited(request, limit + FORM_OVERHEAD, recording_too_large(limit))
    return MultipartFile(request.headers["content-type"], stream, "video", limits=RECORDING_FORM)


def recording_too_large(limit: int) -> UploadTooLarge:
    """The error of a recording above the limit."""
    return UploadTooLarge(f"a video may have {limit} bytes (EMOTII_JOBS_UPLOAD_LIMIT)")


def _limited(request: Request, limit: int, error: UploadTooLarge) -> AsyncIterator[bytes]:
    """The body, which raises the error when it exceeds the limit.

    Raises:
        UploadTooLarge: the body is announced as larger.
    """
    if announced_length(request.headers) > limit:
        raise error
    return _counted(request.stream(), limit, error)


async def _counted(stream: AsyncIterator[bytes], limit: int, error: UploadTooLarge) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > limit:
            raise error
        yield chunk


def _picture_too_large(limit: int) -> UploadTooLarge:
    return UploadTooLarge(f"a picture may have {limit} bytes (EMOTII_UPLOAD_LIMIT)")


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
