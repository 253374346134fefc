"""The query of a request for history."""

import re
from datetime import UTC
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, TypeAdapter, WithJsonSchema

from api_gateway.history.errors import UnknownCursor
from api_gateway.history.queries import Order, Search, read_cursor
from contract.messages.fields import LATEST_MS

_TIME = TypeAdapter(AwareDatetime)


def _moment(value: object) -> object:
    if not isinstance(value, str) or re.fullmatch(r"\d+", value):
        return value
    try:
        if not re.match(r"\d{4}-", value):  # pydantic reads bare numbers as times, too
            raise ValueError
        # A + that is not encoded as %2B arrives as a space.
        time = _TIME.validate_python(re.sub(r" (\d\d:\d\d)$", r"+\1", value))
    except ValueError:
        raise ValueError("write a time as 2026-01-31T23:59:59Z, or in milliseconds since 1970") from None
    return max(0, round(time.astimezone(UTC).timestamp() * 1000))


Moment = Annotated[
    int,
    Field(ge=0, le=LATEST_MS),
    BeforeValidator(_moment),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "integer", "minimum": 0, "maximum": LATEST_MS},
            ]
        }
    ),
]
"""Milliseconds since 1970, written as such or according to RFC 3339."""


class HistoryQuery(BaseModel):
    """The query of a request; what is left out is not filtered."""

    source: Annotated[str | None, Field(max_length=64, description="A source's name.")] = None
    track: Annotated[int | None, Field(ge=0, lt=2**62, description="A track; each source numbers its own.")] = None
    emotion: Annotated[str | None, Field(max_length=64, description="A label, or `uncertain` (readings only).")] = None
    from_: Annotated[Moment | None, Field(alias="from", description="From this time on.")] = None
    to: Annotated[Moment | None, Field(description="Before this time.")] = None
    order: Annotated[Order, Field(description="By time.")] = "newest"
    limit: Annotated[int | None, Field(ge=1, le=1000, description="At most so many; 100 by default, CSV: all.")] = None
    after: Annotated[str | None, Field(max_length=400, description="`next` of the previous page.")] = None
    format: Literal["json", "csv"] = "json"

    def search(self, key: type[int] | type[str], page: int) -> Search:
        """The search of this query.

        Args:
            key: type of the ids of the rows.
            page: number of rows if the query states no `limit`.

        Raises:
            UnknownCursor: `after` is not a cursor of a page.
        """
        try:
            after = None if self.after is None else read_cursor(self.after, key)
        except ValueError as error:
            raise UnknownCursor(f"after: {error}") from error
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
