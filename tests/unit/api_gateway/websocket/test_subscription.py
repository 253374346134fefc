import pytest
from starlette.datastructures import QueryParams

from api_gateway.websocket.subscription import EVERYTHING, SubscribeMessage, Subscription, SubscriptionError
from contract import events
from tests.stage import reading


def reading_event(source: str = "front", track: int = 1) -> events.Reading:
    return events.Reading.from_message(reading(source, 0, track), None, 10, stages=None)


def of(query: str) -> Subscription:
    return Subscription.of_query(QueryParams(query))


def test_an_address_without_parameters_subscribes_to_everything():
    assert of("") == EVERYTHING == Subscription()


def test_address_and_message_mean_the_same():
    expected = of("source=a&source=b&track=3&kind=reading&kind=episode&rate=5")
    message = '{"subscribe":{"sources":["b","a"],"tracks":[3],"kinds":["episode","reading"],"rate":5}}'
    assert SubscribeMessage.read(message) == expected
    assert hash(SubscribeMessage.read(message)) == hash(expected)


def test_a_field_that_a_message_omits_or_sets_to_null_is_not_filtered():
    assert SubscribeMessage.read('{"subscribe":{}}') == EVERYTHING
    assert SubscribeMessage.read('{"subscribe":{"sources":null,"tracks":null,"kinds":null,"rate":null}}') == EVERYTHING


def test_unknown_parameters_of_an_address_are_ignored():
    assert of("ticket=abc") == EVERYTHING


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("kind=smell", "kinds"),
        ("kind=heartbeat", "kinds"),
        ("track=-1", "tracks"),
        ("track=one", "tracks"),
        ("source=../x", "sources"),
        ("source=", "sources"),
        ("rate=0", "rate"),
        ("rate=-5", "rate"),
        ("rate=nan", "rate"),
        ("rate=inf", "rate"),
        ("rate=fast", "rate"),
        ("rate=", "rate"),
        ("rate=1e9", "rate"),
        ("&".join(f"track={number}" for number in range(257)), "tracks"),
    ],
)
def test_a_bad_address_is_refused_with_the_name_of_the_bad_parameter(query: str, named: str):
    with pytest.raises(SubscriptionError, match=named):
        of(query)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "subscribe",
        "[]",
        "{}",
        "null",
        '{"subscribe":[]}',
        '{"subscribe":{"source":["a"]}}',
        '{"subscribe":{"sources":"a"}}',
        '{"subscribe":{"rate":"5"}}',
        '{"subscribe":{"rate":NaN}}',
        '{"subscribe":{"tracks":[1.5]}}',
        '{"subscribe":{"sources":["' + "x" * 10_000 + '"]}}',
        '{"subscribe":' * 1_000,
        '{"subscribe":{}}' + " " * 100_000,
        '{"subscribe":{},"more":1}',
    ],
)
def test_a_bad_message_is_refused_in_one_short_line(message: str):
    with pytest.raises(SubscriptionError) as refused:
        SubscribeMessage.read(message)
    assert 0 < len(str(refused.value)) < 300
    assert "\n" not in str(refused.value)


STATE = events.State(
    source="front",
    source_kind="camera",
    state="ONLINE",
    reason="",
    warning="",
    order=0,
    recording=False,
    since_ms=0,
    width=640,
    height=480,
)


def test_a_subscription_to_a_source_leaves_out_the_others_but_never_the_statistics():
    mine = of("source=front")
    assert [mine.wants(reading_event("front")), mine.wants(reading_event("back"))] == [True, False]
    assert [mine.wants(STATE), mine.wants(events.Gone(source="back"))] == [True, False]
    assert mine.wants(events.Stats.model_construct())


def test_a_subscription_to_a_track_still_includes_states():
    mine = of("source=front&track=2")
    assert [mine.wants(reading_event(track=1)), mine.wants(reading_event(track=2)), mine.wants(STATE)] == [
        False,
        True,
        True,
    ]


def test_the_kind_state_includes_gone():
    mine = of("kind=state")
    assert [mine.wants(STATE), mine.wants(events.Gone(source="a")), mine.wants(reading_event())] == [True, True, False]


def test_an_empty_list_subscribes_to_nothing():
    assert not SubscribeMessage.read('{"subscribe":{"kinds":[]}}').wants(reading_event())
