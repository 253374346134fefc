"""What all events have in common."""

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """A part of what clients are told. Its docstrings are the descriptions of the AsyncAPI document."""

    model_config = ConfigDict(
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )
