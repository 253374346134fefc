"""The file in the body of a request: a picture, which is read into memory, or a recording, which is streamed."""

from collections.abc import AsyncIterator

from fastapi import Request

from api_gateway.connections.request_bodies import announced_length
from api_gateway.uploads.errors import UnreadablePicture, UnsupportedMediaType, UploadTooLarge
from api_gateway.uploads.multipart import FormLimits, MultipartFile

FORM = "multipart/form-data"
FORM_OVERHEAD = 16 * 1024
"""Bytes that a form may add to its file: boundaries, headers, a few fields."""
PICTURE_FORM = FormLimits(files=1, fields=8)


async def read_picture(request: Request, limit: int) -> bytes:
    """The picture: form field `picture`, or the whole body with a content type `image/...`.

    Args:
        request: with the body.
        limit: of the picture's bytes.

    Raises:
        UnsupportedMediaType: the body is neither.
        UploadTooLarge: the picture is above the limit.
        UnreadablePicture: it is empty.
        MalformedForm, MissingFile: as `MultipartFile` raises them.
    """
    kind = _media_type(request)
    if kind == FORM:
        stream = _limited(request, limit + FORM_OVERHEAD, _picture_too_large(limit))
        content_type = request.headers["content-type"]
        file = MultipartFile(content_type, stream, "picture", limits=PICTURE_FORM, any_name=True)
        picture = b"".join([chunk async for chunk in file])
    elif kind.startswith("image/") or kind == "application/octet-stream":
        picture = b"".join([chunk async for chunk in _limited(request, limit, _picture_too_large(limit))])
    else:
        raise UnsupportedMediaType("send the picture as form field `picture` or as a body `image/...`")
    if len(picture) > limit:
        raise _picture_too_large(limit)
    if not picture:
        raise UnreadablePicture("the picture has no bytes")
    return picture


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
    return MultipartFile(request.headers["content-type"], stream, "video")


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
