"""Why a stream cannot be opened or read, in words for people. No reason shows an address or a password."""

import errno
import socket
import ssl
from http import HTTPStatus
from http.client import HTTPException, LineTooLong, RemoteDisconnected

import av

from contract.errors import reason_of

_STATUS = {
    400: "the camera does not understand the request (400)",
    401: "the camera refuses the user or password, or needs one (401)",
    403: "the camera forbids the access (403)",
    404: "the camera has nothing at this path (404)",
    454: "the camera ended the session (454)",
    461: "the camera supports neither TCP nor UDP for its stream (461)",
    503: "the camera is busy, or has too many viewers (503)",
}
_UNSUPPORTED_TRANSPORT = 461
_ERRNO = {
    errno.ECONNREFUSED: "the host refuses the connection: is the port right?",
    errno.EHOSTUNREACH: "the host cannot be reached",
    errno.ENETUNREACH: "the network of the host cannot be reached",
    errno.ECONNRESET: "the camera closed the connection",
    errno.EPIPE: "the camera closed the connection",
    errno.ETIMEDOUT: "the host does not respond",
}

_HTTP_ERRORS: dict[type[av.FFmpegError], int] = {
    av.error.HTTPBadRequestError: 400,
    av.error.HTTPUnauthorizedError: 401,
    av.error.HTTPForbiddenError: 403,
    av.error.HTTPNotFoundError: 404,
}
_KINDS: dict[type[Exception], str] = {
    RemoteDisconnected: "the camera closed the connection without a response",
    socket.gaierror: "there is no host of this name",
    UnicodeError: "there is no host of this name",  # a part of it is empty or too long
    TimeoutError: "the camera does not respond in time",
    LineTooLong: "the response has a line that is too long",
    HTTPException: "the response is not HTTP",
    av.error.ExitError: "the camera does not respond in time",
    av.error.InvalidDataError: "it holds no video that can be read",
    av.error.EOFError: "the camera closed the connection",
    av.error.HTTPOtherClientError: "the camera refuses the request (a status 4xx)",
    av.error.HTTPServerError: "the camera reports an error of its own (a status 5xx)",
}


def status_reason(status: int) -> str:
    """Why a response of HTTP or RTSP with this status is no video."""
    if status in _STATUS:
        return _STATUS[status]
    if 300 <= status < 400:
        return f"the camera redirects to another address ({status}), which is not followed here"
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    return f"the camera answers {status}{phrase}"


def connection_reason(error: Exception) -> str:
    """Why a connection failed, by the exception of Python or PyAV."""
    for kind, reason in _KINDS.items():
        if isinstance(error, kind):
            return reason
    if isinstance(error, ssl.SSLError):
        return f"TLS fails: {(error.reason or 'no encrypted connection').replace('_', ' ').lower()}"
    return _ERRNO.get(getattr(error, "errno", None) or 0) or reason_of(error).lower()


def ffmpeg_reason(error: av.FFmpegError) -> str:
    """Why FFmpeg could not open or read something."""
    for kind, status in _HTTP_ERRORS.items():
        if isinstance(error, kind):
            return status_reason(status)
    if error.errno == errno.EPROTONOSUPPORT:  # as FFmpeg names it
        return status_reason(_UNSUPPORTED_TRANSPORT)
    if isinstance(error, av.error.ArgumentError):  # as FFmpeg names a protocol that is not allowed
        return "the camera redirects to another address, which is not followed here"
    return connection_reason(error)


def file_reason(error: av.FFmpegError) -> str:
    """Why FFmpeg could not open a file."""
    no_video = av.error.InvalidDataError, av.error.EOFError, av.error.ArgumentError
    return _KINDS[av.error.InvalidDataError] if isinstance(error, no_video) else reason_of(error).lower()
