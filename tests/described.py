"""Messages against the AsyncAPI document that the gateway serves."""

import copy
import json
from typing import Any

import jsonschema_rs

Document = dict[str, Any]


class Described:
    """Checks messages against a document.

    Fields that the document does not describe are errors here, although consumers must ignore them.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        components = copy.deepcopy(document["components"])
        for schema in components["schemas"].values():
            if "properties" in schema:
                schema["additionalProperties"] = False
        self.checks = {
            name: jsonschema_rs.Draft7Validator({"allOf": [message["payload"]], "components": components})
            for name, message in components["messages"].items()
        }
        self.seen: set[str] = set()
        """The kinds of the events that were checked."""

    def check(self, text: str) -> Any:
        """The message, parsed; fails if it is not as described."""
        message = json.loads(text)
        is_array = isinstance(message, list)
        self.checks["events" if is_array else "hello"].validate(message)
        self.seen |= {event["kind"] for event in message} if is_array else {"hello"}
        return message
