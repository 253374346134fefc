"""The base of all events."""

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """A part of an event. Its docstrings are the descriptions in the AsyncAPI document."""

    model_config = ConfigDict(
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )
