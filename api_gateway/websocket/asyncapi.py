"""The AsyncAPI document of `/ws/emotions`, made from the models that the messages are made of."""

from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from api_gateway.websocket.subscription import SubscribeMessage, Subscription
from contract import events

Document = dict[str, Any]

TOLD = (events.Reading, events.Episode, events.State, events.Gone, events.Stats)
NOTICES = (events.Heartbeat, events.Missed, events.Refused)
SENT: JsonSchemaMode = "serialization"
TAKEN: JsonSchemaMode = "validation"
DESCRIPTION = (
    "Readings of faces, episodes, states of sources and figures, as they come. "
    "Probabilities of an expression, not facts about a feeling. "
    "The first message is the hello, an object; every later one is an array of events, of which kinds that a client "
    "does not know can be left aside. The gateway says something at least once a second, so that silence means that "
    "the connection is lost."
)


def document(version: str, host: str, *, secure: bool) -> Document:
    """The document, AsyncAPI 3.0.

    Args:
        version: of the gateway.
        host: name and port under which it was asked.
        secure: whether it was asked over TLS.
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
            "tell": _operation("send", "hello", "events"),
            "subscribe": _operation("receive", "subscribe"),
        },
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


class _Draft7(GenerateJsonSchema):
    """The schemas of AsyncAPI are those of JSON Schema's draft 7, where a tuple's items stand under `items`."""

    def tuple_schema(self, schema: core_schema.TupleSchema) -> JsonSchemaValue:
        made = super().tuple_schema(schema)
        if "prefixItems" in made:
            made["items"] = made.pop("prefixItems")
        return made

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401 - the base class's own
        """No: a title would only repeat the field's name."""
        return False


@cache
def _schemas() -> Document:
    sent = [(model, SENT) for model in (events.Hello, *TOLD, *NOTICES)]
    _, made = models_json_schema(
        [*sent, (SubscribeMessage, TAKEN)], ref_template="#/components/schemas/{model}", schema_generator=_Draft7
    )
    schemas: Document = made["$defs"]
    return schemas


def _query() -> Document:
    """The subscription as an address gives it: the same under names in the singular, which can be repeated."""
    properties = Subscription.model_json_schema(schema_generator=_Draft7)["properties"]
    names = {"source": "sources", "track": "tracks", "kind": "kinds", "rate": "rate"}
    return {"type": "object", "properties": {name: properties[field] for name, field in names.items()}}


def _messages() -> Document:
    kinds = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in (*TOLD, *NOTICES)]
    return {
        "hello": {
            "title": "Hello",
            "summary": "The first message: how everything stands.",
            "payload": {"$ref": "#/components/schemas/Hello"},
        },
        "events": {
            "title": "Events",
            "summary": "What came since the last message.",
            "payload": {"type": "array", "minItems": 1, "items": {"oneOf": kinds, "discriminator": "kind"}},
        },
        "subscribe": {
            "title": "Subscribe",
            "summary": "From a client, at any time: its subscription is replaced by this one.",
            "payload": {"$ref": "#/components/schemas/SubscribeMessage"},
        },
    }


def _operation(action: str, *messages: str) -> Document:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/emotions"},
        "messages": [{"$ref": f"#/channels/emotions/messages/{name}"} for name in messages],
    }
