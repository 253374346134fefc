"""The AsyncAPI document of `/ws/emotions`, generated from the models of its messages."""

from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from api_gateway.websocket.subscription import SubscribeMessage, Subscription
from contract import events

Document = dict[str, Any]

SUBSCRIBABLE = (events.Reading, events.Episode, events.State, events.Gone, events.Stats)
NOTICES = (events.Heartbeat, events.Missed, events.Refused)
OUTGOING: JsonSchemaMode = "serialization"
INCOMING: JsonSchemaMode = "validation"
DESCRIPTION = (
    "Readings of faces, episodes, states of sources and statistics, as they occur. "
    "They are probabilities of an expression, not facts about a feeling. "
    "The first message is the hello, an object; every later one is an array of events. Clients should ignore events of "
    "unknown kinds. The gateway sends a message at least once a second, so silence means that the connection is lost."
)


def document(version: str, host: str, *, secure: bool) -> Document:
    """The document, AsyncAPI 3.0.

    Args:
        version: of the gateway.
        host: name and port of the request.
        secure: whether the request came over TLS.
    """
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Emotii", "version": version, "description": DESCRIPTION},
        "servers": {"gateway": {"host": host, "protocol": "wss" if secure else "ws"}},
        "defaultContentType": "application/json",
        "channels": {
            "emotions": {
                "address": "/ws/emotions",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages()},
                "bindings": {"ws": {"method": "GET", "query": _query(), "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            "publish": _operation("send", "hello", "events"),
            "subscribe": _operation("receive", "subscribe"),
        },
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


class _Draft7(GenerateJsonSchema):
    """AsyncAPI uses JSON Schema draft 7, in which a tuple's items are under `items`."""

    def tuple_schema(self, schema: core_schema.TupleSchema) -> JsonSchemaValue:
        made = super().tuple_schema(schema)
        if "prefixItems" in made:
            made["items"] = made.pop("prefixItems")
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401 - the base class's own
        """False: a title would only repeat the field's name."""
        return False


@cache
def _schemas() -> Document:
    outgoing = [(model, OUTGOING) for model in (events.Hello, *SUBSCRIBABLE, *NOTICES)]
    _, made = models_json_schema(
        [*outgoing, (SubscribeMessage, INCOMING)], ref_template="#/components/schemas/{model}", schema_generator=_Draft7
    )
    schemas: Document = made["$defs"]
    return schemas


def _query() -> Document:
    """The subscription as a query: its fields under singular names, which can be repeated."""
    properties = Subscription.model_json_schema(schema_generator=_Draft7)["properties"]
    names = {"source": "sources", "track": "tracks", "kind": "kinds", "rate": "rate"}
    return {"type": "object", "properties": {name: properties[field] for name, field in names.items()}}


def _messages() -> Document:
    kinds = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in (*SUBSCRIBABLE, *NOTICES)]
    return {
        "hello": {
            "title": "Hello",
            "summary": "The first message: the current state.",
            "payload": {"$ref": "#/components/schemas/Hello"},
        },
        "events": {
            "title": "Events",
            "summary": "The events since the last message.",
            "payload": {"type": "array", "minItems": 1, "items": {"oneOf": kinds, "discriminator": "kind"}},
        },
        "subscribe": {
            "title": "Subscribe",
            "summary": "From a client, at any time: replaces its subscription.",
            "payload": {"$ref": "#/components/schemas/SubscribeMessage"},
        },
    }


def _operation(action: str, *messages: str) -> Document:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/emotions"},
        "messages": [{"$ref": f"#/channels/emotions/messages/{name}"} for name in messages],
    }
