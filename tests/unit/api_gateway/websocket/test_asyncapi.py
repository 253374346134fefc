import json
import math
from typing import Any

import pytest
from jsonschema_rs import ValidationError

from api_gateway.websocket import asyncapi
from api_gateway.websocket.subscription import SubscribeMessage, SubscriptionError
from contract import events
from tests.described import Described
from tests.stage import reading


@pytest.fixture
def described() -> Described:
    return Described(asyncapi.document("1.2.3", "emotii.local:5000", secure=True))


def reading_event() -> events.Reading:
    return events.Reading.from_message(reading(), None, 10, stages=events.Stages(detect_ms=1, infer_ms=2, deliver_ms=3))


def test_the_document_states_its_address_and_the_direction_of_each_message(described: Described):
    document = described.document
    assert document["asyncapi"] == "3.0.0"
    assert document["info"]["version"] == "1.2.3"
    assert document["servers"]["gateway"] == {"host": "emotii.local:5000", "protocol": "wss"}
    assert document["channels"]["emotions"]["address"] == "/ws/emotions"
    assert {name: one["action"] for name, one in document["operations"].items()} == {
        "publish": "send",
        "subscribe": "receive",
    }
    assert set(document["channels"]["emotions"]["bindings"]["ws"]["query"]["properties"]) == {
        "source",
        "track",
        "kind",
        "rate",
    }


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        here = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return here + [found for value in part.values() for found in references(value)]
    return [found for value in part for found in references(value)] if isinstance(part, list) else []


def test_every_reference_of_the_document_resolves(described: Described):
    found = references(described.document)
    assert len(found) > 20
    for reference in found:
        place = described.document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_the_document_is_the_same_each_time_it_is_made():
    one, two = (json.dumps(asyncapi.document("1", "a", secure=False)) for _ in range(2))
    assert one == two


def test_each_event_is_of_one_kind_only(described: Described):
    text = f"[{reading_event().model_dump_json()},{events.Gone(source='a').model_dump_json()}]"
    assert [event["kind"] for event in described.check(text)] == ["reading", "gone"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "smell"},
        {"confidence": "high"},
        {"box": [1.0, 2.0, 3.0]},
        {"box": [1.0, 2.0, 3.0, "4"]},
        {"raw": {}},
        {"stages": {"detect_ms": 1}},
        {"unheard": 1},
        {"age_ms": 1.5},
    ],
)
def test_a_message_that_does_not_match_the_document_is_detected(described: Described, wrong: dict[str, Any]):
    event = json.loads(reading_event().model_dump_json())
    described.check(json.dumps([event]))
    with pytest.raises(ValidationError):
        described.check(json.dumps([event | wrong]))


def test_a_message_that_lacks_a_field_is_detected(described: Described):
    event = json.loads(reading_event().model_dump_json())
    for name in event:
        with pytest.raises(ValidationError):
            described.check(json.dumps([{key: value for key, value in event.items() if key != name}]))


@pytest.mark.parametrize("message", ["[]", "{}", '{"type":"hello"}', "1"])
def test_a_message_that_is_neither_hello_nor_events_is_detected(described: Described, message: str):
    with pytest.raises(ValidationError):
        described.check(message)


SUBSCRIPTIONS: list[dict[str, Any]] = [
    {},
    {"sources": None, "tracks": None, "kinds": None, "rate": None},
    {"sources": ["a", "b-2"], "tracks": [0, 7], "kinds": ["reading", "stats"], "rate": 0.5},
    {"sources": []},
    {"sources": "a"},
    {"sources": ["A"]},
    {"sources": ["x" * 33]},
    {"sources": [f"s{number}" for number in range(257)]},
    {"tracks": [-1]},
    {"tracks": [1.5]},
    {"tracks": ["1"]},
    {"kinds": ["gone"]},
    {"kinds": [None]},
    {"rate": 0},
    {"rate": -1},
    {"rate": 1000},
    {"rate": 1001},
    {"rate": "5"},
    {"rates": 5},
]


@pytest.mark.parametrize("subscription", SUBSCRIPTIONS, ids=str)
def test_the_gateway_accepts_exactly_the_subscriptions_that_the_document_describes(
    described: Described, subscription: dict[str, Any]
):
    message = {"subscribe": subscription}
    try:
        SubscribeMessage.read(json.dumps(message))
        taken = True
    except SubscriptionError:
        taken = False
    assert described.checks["subscribe"].is_valid(message) == taken


def test_no_event_can_contain_a_value_that_json_cannot():
    with pytest.raises(ValueError, match="finite"):
        events.Answer(emotion="happy", confidence=math.nan, probabilities={})
