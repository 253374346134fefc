"""What a request for history asks for."""

import re
from datetime import UTC
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, TypeAdapter, WithJsonSchema

from api_gateway.errors import ApiError
from api_gateway.history.queries import Order, Search, read_cursor
from contract.messages.fields import LATEST_MS

_TIME = TypeAdapter(AwareDatetime)


def _moment(value: object) -> object:
    if not isinstance(value, str) or re.fullmatch(r"\d+", value):
        return value
    try:
        if not re.match(r"\d{4}-", value):  # pydantic reads bare numbers as times, too
            raise ValueError
        # A + that was not written as %2B arrives as a blank.
        time = _TIME.validate_python(re.sub(r" (\d\d:\d\d)$", r"+\1", value))
    except ValueError:
        raise ValueError("write a time as 2026-01-31T23:59:59Z, or in milliseconds since 1970") from None
    return max(0, round(time.astimezone(UTC).timestamp() * 1000))


Moment = Annotated[
    int,
    Field(ge=0, le=LATEST_MS),
    BeforeValidator(_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "integer", "minimum": 0}]}),
]
"""Milliseconds since 1970; written so, or as RFC 3339 has it."""


class AskedHistory(BaseModel):
    """The query of a request; everything that is left out asks for all."""

    source: Annotated[str | None, Field(max_length=64, description="A source's name.")] = None
    track: Annotated[int | None, Field(ge=0, lt=2**62, description="A track; its numbers are the source's own.")] = None
    emotion: Annotated[str | None, Field(max_length=64, description="A label, or `uncertain` (readings only).")] = None
    from_: Annotated[Moment | None, Field(alias="from", description="From this time on.")] = None
    to: Annotated[Moment | None, Field(description="Before this time.")] = None
    order: Annotated[Order, Field(description="By time.")] = "newest"
    limit: Annotated[int | None, Field(ge=1, le=1000, description="So many at the most; 100 by default, CSV: all.")] = (
        None
    )
    after: Annotated[str | None, Field(max_length=400, description="`next` of the page before.")] = None
    format: Literal["json", "csv"] = "json"

    def search(self, key: type[int] | type[str], page: int) -> Search:
        """The search.

        Args:
            key: what the ids of the rows are.
            page: how many rows where no `limit` is given.

        Raises:
            ApiError: `after` names no place.
        """
        try:
            after = None if self.after is None else read_cursor(self.after, key)
        except ValueError as error:
            raise ApiError(404, "unknown_place", f"after: {error}") from error
        return Search(
            source=self.source,
            track=self.track,
            emotion=self.emotion,
            from_ms=self.from_,
            to_ms=self.to,
            order=self.order,
            limit=self.limit or page,
            after=after,
        )
