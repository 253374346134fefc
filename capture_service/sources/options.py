"""The options of a source: behind the `?` of a path, or in its table of a sources.toml."""

from collections.abc import Mapping
from typing import Annotated, Any, Self
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract.address import DetectorName
from contract.errors import SourceError


class Options(BaseModel):
    """The options of a source beside its address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    loop: bool = False
    fps: Annotated[float, Field(gt=0, le=240, allow_inf_nan=False)] | None = None
    detector: DetectorName | None = None

    @classmethod
    def from_query(cls, source: str, query: str) -> Self:
        """`loop=1&fps=5` as options.

        Raises:
            SourceError: an option is unknown or its value is not valid.
        """
        return cls.from_table(source, dict(parse_qsl(query, keep_blank_values=True)))

    @classmethod
    def from_table(cls, source: str, table: Mapping[str, Any]) -> Self:
        """As `from_query`, from names and values."""
        try:
            return cls(**table)
        except ValidationError as error:
            first = error.errors()[0]
            option = first["loc"][0]
            known = ", ".join(cls.model_fields)
            message = f"unknown; there are {known}" if first["type"] == "extra_forbidden" else first["msg"]
            raise SourceError(f"source {source!r}: option {option}: {message}") from None
