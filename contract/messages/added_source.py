"""A source that people added, beside the configured ones."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contract.address import DetectorName
from contract.messages.values import Moment, SourceName


class AddedSource(BaseModel):
    """A source that was added while the system runs, stored in `keys.ADDED_SOURCES` until it is removed.

    The address may hold a password, so neither `repr` nor the errors of this class show it.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    v: Literal[1] = 1
    name: SourceName
    address: Annotated[str, Field(repr=False)]
    """As `contract.address.added_kind` allows it; empty for a browser's camera."""
    loop: bool = False
    """Begin again at the end; for the demo clip, files and folders only."""
    fps: Annotated[float, Field(gt=0, le=240)] | None = None
    detector: DetectorName | None = None
    """Instead of the detector of the capture service."""
    added_ms: Moment
    camera: Literal["browser"] | None = None
    """"browser": a gateway writes its pictures to the inbox while it holds the lease `keys.camera(name)`."""
