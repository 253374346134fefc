"""What people want captured beside what the configuration names."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from contract.address import DetectorName


class AddedSource(BaseModel):
    """A source that was added while the system runs, kept in `keys.ADDED_SOURCES` until somebody removes it.

    The address may hold a password, so it shows up neither in `repr` nor in the errors of this class.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    v: Literal[1] = 1
    name: str
    address: Annotated[str, Field(repr=False)]
    """As `contract.address.added_kind` allows it; empty for a browser's camera."""
    loop: bool = False
    """Begin again at the end; the demo clip, files and folders only."""
    fps: Annotated[float, Field(gt=0, le=240)] | None = None
    detector: DetectorName | None = None
    """Another detector than the capture's own."""
    added_ms: int
    camera: Literal["browser"] | None = None
    """"browser": its pictures come through the inbox while a gateway holds the lease `keys.camera(name)`."""
