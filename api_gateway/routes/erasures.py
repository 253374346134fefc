"""`/api/v1/erasures`: having everything erased that was seen, ever or in a span of time, by all sources or by one."""

from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from api_gateway.erasure.coordinator import ErasureStatus
from api_gateway.errors import ApiError, refusal
from api_gateway.routes.dependencies import AskedGateway
from api_gateway.routes.history_query import Moment
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
UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: refusal("No such erasure.", "unknown_erasure", "no erasure '4f9d0c1be2a3'")
}


class ErasureAsked(BaseModel):
    """What is to go: `{"all": true}`, or a source, or a span of time, or a source within a span."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"source": "front"}})

    all: Literal[True] | None = None
    """Everything: so that an empty request erases nothing."""
    source: Annotated[str, StringConstraints(pattern=f"^{keys.SOURCE_NAME.pattern}$")] | None = None
    """A source's name; it need not be there any more. Left out: every source, and recordings that were handed in."""
    from_: Annotated[Moment | None, Field(alias="from")] = None
    """From this time on."""
    to: Moment | None = None
    """Until this time; left out: until now."""

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        narrower = [self.source, self.from_, self.to]
        if bool(self.all) is any(one is not None for one in narrower):
            raise ValueError('give either {"all": true}, or a source, from or to')
        if self.from_ is not None and self.to is not None and self.from_ > self.to:
            raise ValueError("from is after to")
        return self


class ErasureAnswer(BaseModel):
    """An erasure as it stands now."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    id: str
    source: str | None
    from_ms: int
    to_ms: int
    asked_ms: int
    state: Literal["running", "done"]
    trouble: str
    """What it waits for, if anything."""
    erased: Erased
    """So far."""


class ErasuresAnswer(BaseModel):
    """The erasures of the last seven days, the newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"erasures": [EXAMPLE]}})

    erasures: list[ErasureAnswer]


@router.post("", status_code=202)
async def ask(request: Request, asked: ErasureAsked, gateway: AskedGateway, _who: Operator) -> ErasureAnswer:
    """Have what was seen erased: saved faces, history, streams in Redis and its append-only file, recordings.

    It begins at once, is taken up again after whatever happens, and `GET /api/v1/erasures/{id}` tells when it is done.
    """
    erasure = await gateway.erasures.request(asked.source, asked.from_ or 0, asked.to)
    note(request, **erasure.model_dump(include={"id", "source", "from_ms", "to_ms"}))
    return _answer(ErasureStatus(erasure, "running", Erased(), ""))


@router.get("")
async def erasures(gateway: AskedGateway, _who: Viewer) -> ErasuresAnswer:
    """The erasures of the last seven days."""
    return ErasuresAnswer(erasures=[_answer(one) for one in await gateway.erasures.all()])


@router.get("/{id}", responses=UNKNOWN)
async def erasure(
    id: Annotated[str, Path(examples=["4f9d0c1be2a3"], max_length=64)],  # noqa: A002 - as the answer calls it
    gateway: AskedGateway,
    _who: Viewer,
) -> ErasureAnswer:
    """How an erasure stands."""
    for one in await gateway.erasures.all():
        if one.erasure.id == id:
            return _answer(one)
    raise ApiError(404, "unknown_erasure", f"no erasure {id[:32]!r}")


def _answer(one: ErasureStatus) -> ErasureAnswer:
    return ErasureAnswer(
        **one.erasure.model_dump(exclude={"v"}), state=one.state, trouble=one.trouble, erased=one.erased
    )
