"""For any bytes a reader returns a valid message or raises `MalformedMessage`; messages survive a round trip."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from contract.errors import MalformedMessage
from contract.jobs import stored_jobs
from contract.messages import (
    Crop,
    Dead,
    Face,
    FrameDone,
    FrameHeader,
    FrameId,
    InboxPicture,
    Manifest,
    Quality,
    Reading,
    read_crop_entry,
    read_outcome,
)
from contract.messages.fields import LATEST_MS
from contract.model.normalisation import CROP_BYTES
from contract.runtime_settings import RuntimeSettings, StoredChoice

NAMES = st.from_regex(r"[a-z0-9_-]{1,32}", fullmatch=True)
COUNTS = st.integers(0, 10**17)
TIMES = st.integers(0, LATEST_MS)
SHARES = st.floats(0, 1)
PLACES = st.floats(-1e8, 1e8)
SIDES = st.floats(1e-300, 1e8)
IDS = st.builds(FrameId, NAMES, NAMES, COUNTS)
QUALITIES = st.builds(Quality, SHARES, SHARES, st.floats(0, 1e8), SHARES, SHARES)
FACES = st.builds(Face, COUNTS, COUNTS, st.tuples(PLACES, PLACES, SIDES, SIDES), SHARES, QUALITIES)
PIXELS = st.binary(min_size=CROP_BYTES, max_size=CROP_BYTES)
CROPS = st.builds(Crop, IDS, FACES, TIMES, TIMES, PIXELS)
DONE = st.builds(FrameDone, IDS, TIMES, COUNTS, COUNTS, COUNTS, st.text(), st.none() | COUNTS)
MANIFESTS = st.builds(Manifest, IDS, COUNTS)
MODELS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}@[0-9][0-9A-Za-z.+-]{0,31}", fullmatch=True)
LABELS = st.lists(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,31}", fullmatch=True), min_size=1, max_size=8, unique=True)
PICTURES = st.builds(InboxPicture, NAMES, COUNTS, TIMES, TIMES, st.binary(max_size=200))


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    labels = tuple(draw(LABELS))
    given_ = draw(st.one_of(st.just([]), st.lists(SHARES, min_size=len(labels), max_size=len(labels))))
    probabilities = tuple(np.asarray(given_, np.float32).tolist())
    times = draw(TIMES), draw(TIMES)
    return Reading(draw(IDS), draw(FACES), draw(TIMES), draw(MODELS), labels, probabilities, draw(st.text()), *times)


READERS: list[Callable[[Mapping[bytes, bytes]], Any]] = [read_crop_entry, read_outcome, InboxPicture.read, Dead.read]
KNOWN = sorted({name for entry in (CROPS, DONE, MANIFESTS, PICTURES) for name in ()} | {
    b"v", b"kind", b"source", b"epoch", b"frame", b"face", b"track", b"box", b"score", b"quality", b"captured_ms",
    b"deadline_ms", b"pixels", b"crc32", b"faces", b"width", b"height", b"note", b"previous", b"crops", b"model",
    b"labels", b"probabilities", b"worker", b"read_ms", b"done_ms", b"thresholds", b"stored_ms", b"entry", b"reason",
    b"sent_ms", b"picture",
})  # fmt: skip
NUMBERS = st.one_of(st.integers(), st.floats(), st.text(max_size=30)).map(lambda value: str(value).encode())
ODD = st.one_of(
    st.binary(max_size=64),
    NUMBERS,
    st.lists(NUMBERS, max_size=6).map(b",".join),
    st.sampled_from([b"1", b"crop", b"frame", b"manifest", b"reading", b"dead", b"picture", b"a"]),
)
ENTRIES = st.dictionaries(st.sampled_from(KNOWN) | st.binary(max_size=12), ODD, max_size=20)


@pytest.mark.parametrize("read", READERS)
@given(fields=ENTRIES)
def test_any_fields_give_a_message_or_the_reason_of_their_refusal(read, fields):
    try:
        found = read(fields)
    except MalformedMessage:
        return
    else:
        assert read(found.fields()) is not None


@given(
    entry=st.one_of(CROPS, DONE, MANIFESTS), change=st.dictionaries(st.sampled_from(KNOWN), ODD, min_size=1, max_size=2)
)
def test_a_good_entry_with_odd_fields_is_read_or_refused_and_what_is_read_can_be_written_again(entry, change):
    try:
        found = read_crop_entry(entry.fields() | change)
    except MalformedMessage:
        return
    else:
        assert read_crop_entry(found.fields()).id == found.id


def rounded(face: Face) -> Face:
    return Face.read(face.fields())


@given(crop=CROPS)
def test_a_crop_survives_and_its_numbers_to_the_digits_that_are_written(crop):
    again = read_crop_entry(crop.fields())
    assert isinstance(again, Crop)
    assert (again.id, again.captured_ms, again.deadline_ms, again.pixels) == (
        crop.id,
        crop.captured_ms,
        crop.deadline_ms,
        crop.pixels,
    )
    assert np.allclose(again.face.box, crop.face.box, atol=0.11)
    assert rounded(again.face) == again.face


@given(entry=st.one_of(DONE, MANIFESTS))
def test_entries_that_a_worker_passes_through_survive_unchanged(entry):
    assert read_crop_entry(entry.fields()) == read_outcome(entry.fields()) == entry


@given(reading=readings())
def test_a_reading_survives(reading):
    again = read_outcome(reading.fields())
    assert isinstance(again, Reading)
    assert (again.crop_id, again.probabilities, again.labels) == (
        reading.crop_id,
        reading.probabilities,
        reading.labels,
    )


@given(picture=PICTURES)
def test_a_picture_survives(picture):
    assert InboxPicture.read(picture.fields()) == picture


@given(original=ENTRIES, reason=st.text(), entry=st.text())
def test_a_dead_letter_can_always_be_read_back_and_is_never_large(original, reason, entry):
    assume(len(reason) < 200)
    again = Dead.read(Dead(entry, reason, original).fields())
    assert (again.entry, again.reason) == (entry, reason)
    assert sum(len(name) + len(value) for name, value in again.original.items()) < 12_000


@given(payload=st.binary())
@example(b'{"v":1}\n')
def test_any_payload_gives_a_frame_or_the_reason_of_its_refusal(payload):
    try:
        FrameHeader.decode(payload)
    except MalformedMessage:
        return


@given(stored=st.binary() | st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(repr))
def test_any_status_gives_a_job_or_none(stored):
    stored = stored.encode(errors="replace") if isinstance(stored, str) else stored
    stored_jobs().parse({b"0123456789ab": stored, stored: stored})


@given(stored=st.dictionaries(st.binary(max_size=8) | st.sampled_from([b"saving", b"blur"]), st.binary(max_size=30)))
def test_any_stored_settings_give_settings_and_the_names_of_invalid_ones(stored):
    found = StoredChoice.read(stored)
    settings = found.choice.over(RuntimeSettings(saving=True))
    assert RuntimeSettings.model_validate(settings.model_dump()) == settings
    assert found.unusable <= {name.decode(errors="replace") for name in stored}
