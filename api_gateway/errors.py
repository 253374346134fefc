"""One shape for every error: `{"error": {"code": "unknown_source", "message": "..."}}`."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from contract.errors import BrokerUnavailable

CODES = {404: "not_found", 405: "method_not_allowed"}


class ErrorDetail(BaseModel):
    """What went wrong, once for programs and once for people."""

    code: str
    message: str


class ErrorAnswer(BaseModel):
    """The body of every answer that is an error."""

    model_config = {
        "json_schema_extra": {
            "example": {"error": {"code": "unknown_source", "message": "no source 'door'; there are: front"}}
        }
    }

    error: ErrorDetail


def refusal(description: str, code: str, message: str) -> dict[str, Any]:
    """An error as OpenAPI describes it, with an example."""
    example = {"error": {"code": code, "message": message}}
    return {"model": ErrorAnswer, "description": description, "content": {"application/json": {"example": example}}}


class ApiError(Exception):
    """An answer other than the wanted one.

    Args:
        status: of HTTP.
        code: one word that programs can rely on.
        message: what is wrong and what to do about it.
        headers: of the answer.
    """

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}

    def answer(self) -> JSONResponse:
        answer = error_answer(self.status, self.code, self.message)
        answer.headers.update(self.headers)
        return answer


def error_answer(status: int, code: str, message: str) -> JSONResponse:
    """An error in the one shape."""
    return JSONResponse(ErrorAnswer(error=ErrorDetail(code=code, message=message)).model_dump(), status)


def install_error_shape(app: FastAPI) -> None:
    """Make every error of `app` come in the one shape."""

    @app.exception_handler(ApiError)
    async def api_error(_request: Request, error: ApiError) -> JSONResponse:
        return error.answer()

    @app.exception_handler(HTTPException)
    async def http_error(_request: Request, error: HTTPException) -> JSONResponse:
        answer = error_answer(error.status_code, CODES.get(error.status_code, "bad_request"), str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return error_answer(422, "invalid_request", f"{place}: {first['msg']}")

    @app.exception_handler(BrokerUnavailable)
    async def outage(_request: Request, _error: BrokerUnavailable) -> JSONResponse:
        return error_answer(503, "redis_unavailable", "Redis cannot be reached now; try again soon")

    @app.exception_handler(Exception)
    async def unexpected(_request: Request, _error: Exception) -> JSONResponse:
        return error_answer(500, "internal_error", "an unexpected error; the gateway's log has it")
