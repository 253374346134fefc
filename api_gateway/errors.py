"""Maps the errors of services to HTTP, in one shape: `{"error": {"code": "unknown_source", "message": "..."}}`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from api_gateway.connections import errors as connections
from api_gateway.erasure.errors import ErasureNotFound
from api_gateway.faces import errors as faces
from api_gateway.history.database import DatabaseUnavailable, RowsRefused
from api_gateway.history.errors import HistoryOff, UnknownCursor
from api_gateway.runtime_settings import FixedSetting
from api_gateway.security import errors as security
from api_gateway.sources import errors as sources
from api_gateway.uploads import errors as uploads
from api_gateway.video.errors import InvalidWatch, NoFrame
from contract.errors import BrokerUnavailable, EmotiiError

POLICY, TRY_AGAIN = 1008, 1013
"""Close codes of a WebSocket."""
SOON = {"Retry-After": "5"}
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="Emotii"'}


@dataclass(frozen=True, slots=True)
class HttpError:
    """How an error of a service appears to a client."""

    status: int
    """Of HTTP."""
    code: str
    """One word that programs can rely on."""
    message: str = "{error}"
    """What is wrong and what to do about it; `{error}` is the error's own message."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the response; `{error}` is the error."""
    close_code: int = POLICY
    """Of a WebSocket."""


HTTP_ERRORS: dict[type[EmotiiError], HttpError] = {
    BrokerUnavailable: HttpError(
        503, "redis_unavailable", "Redis cannot be reached now; try again soon", close_code=TRY_AGAIN
    ),
    # security
    security.UnknownHostName: HttpError(400, "unknown_host"),
    security.ForeignOrigin: HttpError(403, "foreign_origin"),
    security.Unauthorized: HttpError(401, "unauthorized", headers=CHALLENGE),
    security.WrongToken: HttpError(401, "wrong_token", headers=CHALLENGE),
    security.TooManyAttempts: HttpError(429, "too_many_attempts", headers={"Retry-After": "{error.wait_seconds}"}),
    security.Forbidden: HttpError(403, "forbidden"),
    security.NoTokens: HttpError(409, "no_tokens"),
    FixedSetting: HttpError(409, "fixed_setting"),
    # connections
    connections.MalformedRequest: HttpError(400, "bad_request"),
    connections.HeadTooLarge: HttpError(431, "too_large"),
    connections.BodyTooLarge: HttpError(413, "too_large"),
    connections.BodyTooSlow: HttpError(408, "timeout", headers={"Connection": "close"}),
    connections.TooManyConnections: HttpError(503, "busy", headers=SOON),
    connections.TooManyStreams: HttpError(503, "busy", headers=SOON),
    # sources
    sources.UnknownSource: HttpError(404, "unknown_source"),
    sources.BadSource: HttpError(422, "bad_source"),
    sources.ForbiddenHost: HttpError(422, "forbidden_host"),
    sources.NameTaken: HttpError(409, "name_taken"),
    sources.TooManySources: HttpError(409, "too_many_sources"),
    sources.ConfiguredSource: HttpError(409, "configured_source"),
    sources.BrowserSource: HttpError(409, "browser_camera"),
    sources.BadPicture: HttpError(422, "bad_picture"),
    sources.PictureTooLarge: HttpError(413, "too_large"),
    sources.TooFast: HttpError(429, "too_fast"),
    sources.BrowserSilent: HttpError(408, "silent"),
    sources.NotReady: HttpError(503, "not_ready"),
    # video and faces
    NoFrame: HttpError(503, "no_frame"),
    InvalidWatch: HttpError(422, "invalid_request"),
    faces.NoFace: HttpError(404, "no_face"),
    faces.FaceNotFound: HttpError(404, "unknown_face"),
    faces.UnknownEmotion: HttpError(422, "unknown_emotion"),
    faces.StoreFull: HttpError(507, "storage_full"),
    faces.StoreUnwritable: HttpError(507, "storage_unwritable"),
    # uploads
    uploads.UnsupportedMediaType: HttpError(415, "unsupported_media_type"),
    uploads.MalformedForm: HttpError(400, "bad_request"),
    uploads.MissingFile: HttpError(422, "invalid_request"),
    uploads.BadFileName: HttpError(422, "bad_name"),
    uploads.UploadTooLarge: HttpError(413, "too_large"),
    uploads.UnreadablePicture: HttpError(422, "unreadable_picture"),
    uploads.UnreadableVideo: HttpError(422, "unreadable_video"),
    uploads.UnclassifiableFace: HttpError(422, "unclassifiable_face"),
    uploads.NoCapture: HttpError(503, "no_capture"),
    uploads.NoWorker: HttpError(503, "no_worker"),
    uploads.TooManyUploads: HttpError(503, "busy"),
    uploads.PredictionTimeout: HttpError(504, "timeout"),
    uploads.JobNotFound: HttpError(404, "unknown_job"),
    uploads.JobNotDone: HttpError(409, "not_done"),
    uploads.JobStillRunning: HttpError(504, "timeout"),
    uploads.JobFileNotFound: HttpError(404, "unknown_file"),
    uploads.DiskFull: HttpError(507, "disk_full"),
    uploads.DiskUnwritable: HttpError(507, "disk_unwritable"),
    # history and erasure
    DatabaseUnavailable: HttpError(503, "history_unavailable", "the database of the history cannot serve now: {error}"),
    RowsRefused: HttpError(422, "invalid_request"),
    HistoryOff: HttpError(404, "no_history"),
    UnknownCursor: HttpError(404, "unknown_place"),
    ErasureNotFound: HttpError(404, "unknown_erasure"),
}
"""Every error of a service that may reach a client. Any other one is a mistake of ours: 500, with a traceback."""
HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}


class ErrorDetail(BaseModel):
    """What is wrong: `code` for programs, `message` for people."""

    code: str
    message: str


class ErrorResponse(BaseModel):
    """The body of every response that is an error."""

    model_config = {
        "json_schema_extra": {
            "example": {"error": {"code": "unknown_source", "message": "no source 'door'; there are: front"}}
        }
    }

    error: ErrorDetail


def describe(error: EmotiiError) -> HttpError:
    """How an error appears, with its message and headers filled in.

    Raises:
        LookupError: the table does not hold it.
    """
    for kind in type(error).__mro__:
        if kind in HTTP_ERRORS:
            entry = HTTP_ERRORS[kind]
            headers = {name: value.format(error=error) for name, value in entry.headers.items()}
            return replace(entry, message=entry.message.format(error=error), headers=headers)
    raise LookupError(f"{type(error).__name__} is not in HTTP_ERRORS") from error


def error_body(code: str, message: str) -> dict[str, Any]:
    """An error in the one shape."""
    return ErrorResponse(error=ErrorDetail(code=code, message=message)).model_dump()


def error_response(error: EmotiiError) -> JSONResponse:
    """The response for an error of a service.

    Raises:
        LookupError: the table does not hold it.
    """
    found = describe(error)
    return JSONResponse(error_body(found.code, found.message), found.status, found.headers)


def install_error_handlers(app: FastAPI) -> None:
    """Return every error of `app` in the one shape."""

    async def service_error(_request: Request, error: EmotiiError) -> JSONResponse:
        return error_response(error)

    for kind in HTTP_ERRORS:
        app.exception_handler(kind)(service_error)

    @app.exception_handler(HTTPException)
    async def http_error(_request: Request, error: HTTPException) -> JSONResponse:
        code = HTTP_CODES.get(error.status_code, "bad_request")
        return JSONResponse(error_body(code, str(error.detail)), error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return JSONResponse(error_body("invalid_request", f"{place}: {first['msg']}"), 422)

    @app.exception_handler(Exception)
    async def unexpected(_request: Request, _error: Exception) -> JSONResponse:
        return JSONResponse(error_body("internal_error", "an unexpected error; the gateway's log has it"), 500)
