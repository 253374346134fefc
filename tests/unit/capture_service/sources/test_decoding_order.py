"""The frames of a file without presentation times take the next time, each once, whatever their packets give."""

from capture_service.sources.decoding_order import DecodingOrder


def order_of(*times: int) -> DecodingOrder:
    order = DecodingOrder()
    for time in times:
        order.expect(time, must_show=True)
    return order


def test_frames_are_shown_in_the_order_in_which_they_come():
    order = order_of(0, 1, 2, 3)
    assert [order.show(time) for time in (0, 2, 3, 1)] == [0, 1, 2, 3]
    assert order.missing() == set()


def test_a_packet_that_gave_nothing_before_a_key_frame_is_missing_and_takes_its_time():
    order = order_of(0, 1, 2)
    order.show(0)
    assert order.missing(before=2) == {1}
    assert [order.show(time) for time in (1, 2)] == [1, 2]
    assert not order.is_new(1)


def test_a_packet_that_says_that_the_frame_before_is_shown_on_takes_its_time_and_is_not_missing():
    order = order_of(0)
    order.expect(1, must_show=False)
    order.expect(2, must_show=True)
    order.show(0)
    assert order.missing(before=2) == set()
    assert order.show(2) == 2


def test_the_second_field_of_a_frame_is_not_missing():
    order = order_of(0, 1, 2, 3)
    order.has_fields = True
    order.show(0)
    assert order.missing(before=2) == set()
    assert order.show(2) == 2
    assert order.missing() == set()


def test_frames_whose_packets_are_not_known_take_the_next_times():
    order = order_of(0, 1)
    assert [order.show(None), order.show(None), order.show(None)] == [0, 1, None]
    assert order.missing() == set()
