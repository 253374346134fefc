"""Parts of the OpenAPI document that several routes share."""

from typing import Any

from api_gateway.errors import ErrorResponse

Responses = dict[int | str, dict[str, Any]]
BINARY = {"type": "string", "format": "binary"}


def error_example(description: str, code: str, message: str) -> dict[str, Any]:
    """An error response with an example."""
    example = {"error": {"code": code, "message": message}}
    return {"model": ErrorResponse, "description": description, "content": {"application/json": {"example": example}}}


def file_body(field: str, *media_types: str) -> dict[str, Any]:
    """A request body: a form with the file `field`, or the file itself in one of the media types."""
    form = {"type": "object", "required": [field], "properties": {field: BINARY}}
    content = {"multipart/form-data": {"schema": form}} | {kind: {"schema": BINARY} for kind in media_types}
    return {"requestBody": {"required": True, "content": content}}


def binary_response(description: str, *media_types: str) -> dict[str, Any]:
    """A response that is a file in one of the media types."""
    return {"content": {kind: {"schema": BINARY} for kind in media_types}, "description": description}
