"""`/api/v1/erasures`: erases what was captured and derived, of all sources or one, ever or within a span of time."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from api_gateway.erasure.coordinator import ErasureStatus
from api_gateway.erasure.errors import ErasureNotFound
from api_gateway.routes.dependencies import ErasuresDep
from api_gateway.routes.history_query import Moment
from api_gateway.routes.openapi import Responses, error_example
from api_gateway.security.access import Operator, Viewer
from api_gateway.security.audit import note
from contract import keys
from contract.messages.erasure import Erased

router = APIRouter(prefix="/api/v1/erasures", tags=["privacy"])
EXAMPLE: JsonDict = {
    "id": "4f9d0c1be2a3",
    "source": "front",
    "from_ms": 0,
    "to_ms": 1790000002000,
    "asked_ms": 1790000000000,
    "state": "done",
    "trouble": "",
    "erased": {"jobs": 0, "entries": 1934, "faces": 212, "records": 5120},
}
NOT_FOUND: Responses = {404: error_example("No such erasure.", "unknown_erasure", "no erasure '4f9d0c1be2a3'")}


class ErasureRequest(BaseModel):
    """What to erase: `{"all": true}`, or a source, or a span of time, or a source within a span."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"source": "front"}})

    all: Literal[True] | None = None
    """Everything; explicit, so that an empty request erases nothing."""
    source: Annotated[str, StringConstraints(pattern=f"^{keys.SOURCE_NAME.pattern}$")] | None = None
    """A source's name; the source need not exist any more. Without it: every source, and uploaded recordings."""
    from_: Annotated[Moment | None, Field(alias="from")] = None
    """From this time on."""
    to: Moment | None = None
    """Until this time; without it: until now."""

    @model_validator(mode="before")
    @classmethod
    def _has_no_null(cls, request: object) -> object:
        """A null is the variable of a client that was never set: its target would be everything."""
        nulls = [name for name, value in request.items() if value is None] if isinstance(request, dict) else []
        if nulls:
            raise ValueError(f"{nulls[0]} is null; give a value, or leave the field out")
        return request

    @model_validator(mode="after")
    def _is_explicit(self) -> Self:
        scope = [self.source, self.from_, self.to]
        if bool(self.all) is any(part is not None for part in scope):
            raise ValueError('give either {"all": true}, or a source, from or to')
        if self.from_ is not None and self.to is not None and self.from_ > self.to:
            raise ValueError("from is after to")
        return self


class ErasureResponse(BaseModel):
    """The status of an erasure."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    id: str
    source: str | None
    from_ms: int
    to_ms: int
    asked_ms: int
    state: Literal["running", "done"]
    trouble: str
    """What the erasure waits for, if anything."""
    erased: Erased
    """What is erased so far."""


class ErasuresResponse(BaseModel):
    """The erasures of the last seven days, the newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"erasures": [EXAMPLE]}})

    erasures: list[ErasureResponse]


@router.post("", status_code=202)
async def create(request: Request, scope: ErasureRequest, erasures: ErasuresDep, _: Operator) -> ErasureResponse:
    """Erase saved faces, history, streams in Redis and its append-only file, and recordings.

    The erasure begins at once and resumes after any interruption. `GET /api/v1/erasures/{id}` returns its status.
    """
    erasure = await erasures.request(scope.source, scope.from_ or 0, scope.to)
    note(request, **erasure.model_dump(include={"id", "source", "from_ms", "to_ms"}))
    return _response(ErasureStatus(erasure, "running", Erased(), ""))


@router.get("")
async def list_erasures(erasures: ErasuresDep, _: Viewer) -> ErasuresResponse:
    """The erasures of the last seven days."""
    return ErasuresResponse(erasures=[_response(one) for one in await erasures.all()])


@router.get("/{id}", responses=NOT_FOUND)
async def erasure(
    id: Annotated[str, Path(examples=["4f9d0c1be2a3"], max_length=64)],  # noqa: A002 - the field's name
    erasures: ErasuresDep,
    _: Viewer,
) -> ErasureResponse:
    """The status of an erasure."""
    for status in await erasures.all():
        if status.erasure.id == id:
            return _response(status)
    raise ErasureNotFound(f"no erasure {id[:32]!r}")


def _response(status: ErasureStatus) -> ErasureResponse:
    return ErasureResponse(
        **status.erasure.model_dump(exclude={"v"}), state=status.state, trouble=status.trouble, erased=status.erased
    )
