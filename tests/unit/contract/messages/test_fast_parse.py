"""The fast parser returns what the careful one does, byte by byte."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from contract.messages import Crop, Face, FrameDone, FrameId, Quality, read_crop_entry
from contract.messages.fast_parse import CROP, FRAME, READING_VALUES, ParsedCrop, fast_parse_frame
from contract.model.normalisation import CROP_BYTES
from tests.inference import crop, frame_done

names = some.from_regex(r"[a-z0-9_-]{1,32}", fullmatch=True)
wholes = some.integers(0, 10**18 - 1)
times = some.integers(0, 10**14 - 1)
shares = some.floats(0, 1)
lengths = some.floats(0.1, 1e7)
places = some.floats(-1e7, 1e7)
frame_ids = some.builds(FrameId, names, names, wholes)
qualities = some.builds(Quality, shares, shares, lengths, shares, shares)
faces = some.builds(Face, wholes, wholes, some.tuples(places, places, lengths, lengths), shares, qualities)
crops = some.builds(Crop, frame_ids, faces, times, times, some.just(bytes(CROP_BYTES)))
frames = some.builds(FrameDone, frame_ids, times, wholes, wholes, wholes, previous=some.none() | wholes)

CROP_FIELDS = (*READING_VALUES[:9], b"deadline_ms")
FRAME_FIELDS = (b"source", b"epoch", b"frame", b"captured_ms", b"faces", b"width", b"height")


@given(crops)
def test_every_crop_that_a_capture_writes_is_recognised(written):
    seen = ParsedCrop.fast_parse(written.fields())
    assert seen == ParsedCrop.of(written)
    assert (seen.captured_ms, seen.deadline_ms, seen.pixels) == (
        written.captured_ms,
        written.deadline_ms,
        written.pixels,
    )


@given(frames)
def test_every_frame_that_a_capture_writes_is_recognised(written):
    assert fast_parse_frame(written.fields())


@settings(suppress_health_check=[HealthCheck.filter_too_much])  # for the look-ahead of the pattern
@given(some.from_regex(CROP, fullmatch=True))
def test_a_crop_that_is_parsed_fast_is_a_valid_crop(line):
    fields = crop("cam", 7).fields() | dict(zip(CROP_FIELDS, line.split(b"\n"), strict=True))
    seen, read = ParsedCrop.fast_parse(fields), read_crop_entry(fields)
    assert (seen.captured_ms, seen.deadline_ms) == (read.captured_ms, read.deadline_ms)


@given(some.from_regex(FRAME, fullmatch=True))
def test_a_frame_that_is_parsed_fast_is_a_valid_frame(line):
    fields = frame_done("cam", 7).fields() | dict(zip(FRAME_FIELDS, line.split(b"\n"), strict=True))
    assert fast_parse_frame(fields)
    assert isinstance(read_crop_entry(fields), FrameDone)


GOOD = crop("cam", 7).fields()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"v", b"2"),
        (b"kind", b"frame"),
        (b"source", b"}{"),
        (b"epoch", b""),
        (b"frame", b"-1"),
        (b"frame", b"1" * 19),
        (b"box", b"nan,2,3,4"),
        (b"box", b"1,2,0.0,4"),
        (b"box", b"1,2,3,-4"),
        (b"box", b"1,2,3"),
        (b"score", b"1.5"),
        (b"quality", b"0.5,0.5"),
        (b"captured_ms", b"%d" % 2**63),
        (b"deadline_ms", b"1\n2"),
        (b"track", b"3\n3"),
        (b"crc32", b"1"),
        (b"pixels", bytes(CROP_BYTES - 1)),
    ],
)
def test_a_crop_with_anything_unusual_is_left_to_the_full_parser(name, value):
    assert ParsedCrop.fast_parse(GOOD) is not None
    assert ParsedCrop.fast_parse(GOOD | {name: value}) is None
    assert ParsedCrop.fast_parse({field: value for field, value in GOOD.items() if field != name}) is None


def test_a_frame_with_anything_unusual_is_left_to_the_full_parser():
    good = frame_done("cam", 7).fields()
    assert fast_parse_frame(good)
    assert fast_parse_frame(replace(frame_done("cam", 7), previous=4).fields())
    assert not fast_parse_frame(good | {b"more": b"1"})
    assert not fast_parse_frame(good | {b"previous": b"-1"})
    assert not fast_parse_frame(good | {b"note": b"why"})
    assert not fast_parse_frame(good | {b"faces": b"x"})
    assert not fast_parse_frame(good | {b"v": b"2"})
