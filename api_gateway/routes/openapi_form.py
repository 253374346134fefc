"""What the routes that take a file of a form have in common."""

from typing import Any

OVERHEAD = 16 * 1024
"""Bytes that a form may add to its file: boundaries, headers, a few fields."""
BYTES = {"type": "string", "format": "binary"}


def body(field: str, *kinds: str) -> dict[str, Any]:
    """OpenAPI's description of a body: a form with the file `field`, or the file itself as one of `kinds`."""
    form = {"type": "object", "required": [field], "properties": {field: BYTES}}
    content = {"multipart/form-data": {"schema": form}} | {kind: {"schema": BYTES} for kind in kinds}
    return {"requestBody": {"required": True, "content": content}}
