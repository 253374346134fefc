import math
import pickle
import zlib
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from contract.errors import MalformedMessage
from contract.messages import (
    Crop,
    Dead,
    FrameFace,
    FrameHeader,
    FrameId,
    InboxPicture,
    Manifest,
    Reading,
    SourceStatus,
    read_crop_entry,
    read_outcome,
)
from tests.inference import crop, face, frame_done

READING = Reading(
    FrameId("cam", "e1", 7), face(), 1000, "emotii-5@1.0.0", ("happy", "sad"), (0.75, 0.25), "worker", 1001, 1002
)
BEHIND = replace(frame_done("cam", 7), previous=4)
MANIFEST = Manifest(FrameId("clip", "e1", 100), 42)


@pytest.mark.parametrize("entry", [crop("cam", 7), frame_done("cam", 7), BEHIND, MANIFEST])
def test_an_entry_of_a_crops_stream_is_read_as_it_was_written(entry):
    assert read_crop_entry(entry.fields()) == entry


@pytest.mark.parametrize("outcome", [READING, frame_done("cam", 7), BEHIND, MANIFEST])
def test_an_entry_of_a_results_stream_is_read_as_it_was_written(outcome):
    assert read_outcome(outcome.fields()) == outcome


def test_a_reading_of_a_stale_crop_has_no_probabilities():
    fields = READING.fields() | {b"probabilities": b""}
    assert read_outcome(fields).stale
    assert not READING.stale


def test_the_pixels_of_a_crop_are_its_rows():
    pixels = np.arange(48 * 48, dtype=np.uint32).astype(np.uint8).reshape(48, 48)
    one = Crop(FrameId("cam", "e1", 0), face(), 0, 0, pixels.tobytes())
    assert np.array_equal(one.array(), pixels)


def test_a_crop_keeps_its_id_when_it_is_submitted_again():
    assert READING.crop_id == "cam:e1:7:0"
    assert Dead("5-0", "why", crop("cam", 7).fields()).crop_id == READING.crop_id


GOOD = crop("cam", 7).fields()
BAD_PIXELS = {size: bytes(size) for size in (0, 2303, 2305, 64 * 1024)}
MALFORMED = [
    *[({b"pixels": pixels, b"crc32": b"%d" % zlib.crc32(pixels)}, "pixels") for pixels in BAD_PIXELS.values()],
    ({b"pixels": bytes(2304)}, "crc32"),
    ({b"crc32": b"0"}, "crc32"),
    ({b"crc32": b"-1"}, "crc32"),
    *[({b"v": version}, "v:") for version in (b"2", b"-1", b"abc", b"", b"1.0")],
    *[({b"kind": kind}, "kind") for kind in (b"", b"reading", b"CROP", b"\xff")],
    *[
        ({b"source": name}, "source")
        for name in (b"", b"A", b"\xff\xfe", b"a\0b", b"}{", b"a b", b"x" * 33, "ä".encode(), b"cam\n")
    ],
    *[({b"epoch": name}, "epoch") for name in (b"", b"../..", b"x" * 33, b"\xff")],
    *[({b"frame": number}, "frame") for number in (b"-1", b"1.5", b"", b"nan", b"9" * 19, "²".encode(), b" 1", b"1_0")],
    *[({b"captured_ms": time}, "captured_ms") for time in (b"%d" % 2**63, b"-5", b"9" * 18, b"")],
    *[({b"deadline_ms": time}, "deadline_ms") for time in (b"%d" % 2**63, b"-5")],
    *[
        ({b"box": box}, "box")
        for box in (b"", b"1,2,3", b"1,2,3,4,5", b"nan,1,2,3", b"1,2,inf,4", b"1,2,0,4", b"1,2,-3,4", b"1e300,2,3,4")
    ],
    *[({b"quality": quality}, "quality") for quality in (b"", b"1,2,3,4", b"1,2,3,4,nan")],
    ({b"score": b"high"}, "score"),
    ({b"track": b"-1"}, "track"),
    ({b"face": b""}, "face"),
]


@pytest.mark.parametrize(("change", "named"), MALFORMED)
def test_a_malformed_crop_is_refused_by_the_name_of_its_field(change, named):
    with pytest.raises(MalformedMessage, match=named):
        read_crop_entry(GOOD | change)


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_crop_that_lacks_a_field_is_refused_by_its_name(missing):
    with pytest.raises(MalformedMessage, match=missing.decode()):
        read_crop_entry({name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize(
    "fields", [{}, {b"v": b"1"}, {b"data": pickle.dumps([1])}, {b"%d" % n: b"" for n in range(10_000)}]
)
def test_fields_that_are_no_message_are_refused(fields):
    for read in (read_crop_entry, read_outcome, InboxPicture.read, Dead.read):
        with pytest.raises(MalformedMessage):
            read(fields)


@pytest.mark.parametrize("raw", [b"1", bytes(4), bytes(12), bytes(9)])
def test_a_reading_with_another_number_of_probabilities_than_labels_is_refused(raw):
    with pytest.raises(MalformedMessage, match="probabilities"):
        read_outcome(READING.fields() | {b"probabilities": raw})


def test_probabilities_survive_as_32_bit_floats():
    (first, second) = read_outcome(
        READING.fields() | {b"probabilities": np.float32([1 / 3, 2 / 3]).tobytes()}
    ).probabilities
    assert math.isclose(first, 1 / 3, rel_tol=1e-6)
    assert math.isclose(second, 2 / 3, rel_tol=1e-6)


def test_a_picture_of_the_inbox_is_read_as_it_was_written():
    picture = InboxPicture("request-1", 0, 1000, 2000, b"\xff\xd8\xff")
    assert InboxPicture.read(picture.fields()) == picture


@pytest.mark.parametrize("change", [{b"epoch": b"a/b"}, {b"kind": b"crop"}, {b"v": b"2"}, {b"frame": b"x"}])
def test_a_malformed_picture_of_the_inbox_is_refused(change):
    fields = InboxPicture("request-1", 0, 1000, 2000, b"").fields()
    with pytest.raises(MalformedMessage):
        InboxPicture.read(fields | change)


HEADER = FrameHeader(
    source="cam", epoch="e1", frame=7, captured_ms=1000, width=640, height=480,
    faces=(FrameFace(index=0, track=3, box=(1, 2, 3, 4), score=0.5),),
)  # fmt: skip


@pytest.mark.parametrize("jpeg", [b"", b"\xff\xd8 with\nnewlines\n\n"])
def test_a_frame_on_the_channel_is_its_header_and_its_jpeg(jpeg):
    assert FrameHeader.decode(HEADER.encode(jpeg)) == (HEADER, jpeg)


@pytest.mark.parametrize("payload", [b"", b"\n", b"{}\n", b"\xff\xd8\xff", b"[1]\njpeg"])
def test_a_payload_that_is_no_frame_is_refused(payload):
    with pytest.raises(MalformedMessage):
        FrameHeader.decode(payload)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_numbers_that_are_not_finite_are_refused_in_all_json(number):
    source = b'{"name":"x","kind":"camera","state":"ONLINE","since_ms":1,"seen_ms":1,"fps":%b}'
    assert SourceStatus.model_validate_json(source % b"1.5").fps == 1.5
    with pytest.raises(ValidationError):
        SourceStatus.model_validate_json(source % number)
    for good in (b"0.5", b"3.0"):  # the score, an edge of the box
        with pytest.raises(MalformedMessage):
            FrameHeader.decode(HEADER.encode().replace(good, number))


def test_a_dead_letter_keeps_the_fields_of_the_entry_but_no_pixels():
    fields = GOOD | {b"note": b"x" * 10_000} | {b"extra%d" % number: b"y" for number in range(1000)}
    dead = Dead("5-0", "box: not 4 finite numbers", fields)

    written = dead.fields()
    again = Dead.read(written)

    assert sum(len(name) + len(value) for name, value in written.items()) < 4096
    assert b"pixels" not in again.original
    assert (again.entry, again.reason, again.crop_id) == ("5-0", dead.reason, "cam:e1:7:0")


def test_a_dead_letter_keeps_fields_of_the_entry_apart_from_its_own_fields_of_the_same_name():
    again = Dead.read(Dead("5-0", "why", {b"reason": b"mine", b"v": b"9", b"was:v": b"8"}).fields())
    assert (again.reason, again.original) == ("why", {b"reason": b"mine", b"v": b"9", b"was:v": b"8"})
    assert again.crop_id is None
