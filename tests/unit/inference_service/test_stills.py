from dataclasses import replace

import numpy as np
import pytest

from contract.messages.fast_parse import ParsedCrop
from contract.model.normalisation import CROP_BYTES
from inference_service.poison import IsolatingClassifier, Poison
from inference_service.stills import MOST_CHANGED, MOST_TRACKS, Stills
from tests.inference import RAISES, ObedientEngine, crop, face


class Counting(ObedientEngine):
    """Its probabilities tell which of its crops this was."""

    def __init__(self):
        super().__init__()
        self.classified = 0

    def classify(self, pixels):
        rows = super().classify(pixels)
        for row in rows:
            row[0] = self.classified
            self.classified += 1
        return rows


@pytest.fixture
def engine():
    return Counting()


@pytest.fixture
def stills(engine):
    return Stills(IsolatingClassifier(engine), 100)


def seen(captured_ms, *, gray=100, track=3, live=True, source="cam", mark=b""):
    pixels = mark + bytes([gray]) * (CROP_BYTES - len(mark))
    one = replace(crop(source, 0), captured_ms=captured_ms, deadline_ms=10**9 if live else 0, pixels=pixels)
    return ParsedCrop.of(replace(one, face=replace(face(), track=track)))


def which(verdicts):
    return [int(verdict[0]) for verdict in verdicts]


def test_a_face_that_keeps_still_keeps_its_reading_for_as_long_as_told(stills):
    assert [which(stills.classify([seen(at)])) for at in (1000, 1050, 1100, 1101)] == [[0], [0], [0], [1]]


def test_a_face_that_changes_is_classified_again_and_slow_changes_add_up(stills, engine):
    step = int(MOST_CHANGED)
    assert which(stills.classify([seen(1000, gray=100)])) == [0]
    assert which(stills.classify([seen(1010, gray=100 + step)])) == [0]
    assert which(stills.classify([seen(1020, gray=100 + step + 1)])) == [1]
    assert which(stills.classify([seen(1030, gray=255)])) == [2]
    assert engine.classified == 3


def test_other_tracks_and_other_sources_have_their_own_readings(stills):
    batch = [seen(1000), seen(1000, track=4), seen(1000, source="door")]
    assert which(stills.classify(batch)) == [0, 1, 2]
    assert which(stills.classify([*batch, seen(1001, track=5)])) == [0, 1, 2, 3]


def test_crops_of_a_job_and_older_pictures_are_always_classified(stills):
    assert which(stills.classify([seen(1000, live=False)])) == [0]
    assert which(stills.classify([seen(1000, live=False)])) == [1]
    assert which(stills.classify([seen(1000)])) == [2]
    assert which(stills.classify([seen(999)])) == [3]


def test_without_being_told_every_crop_is_classified(engine):
    stills = Stills(IsolatingClassifier(engine))
    assert [which(stills.classify([seen(1000)])) for _ in range(2)] == [[0], [1]]


def test_poison_is_not_remembered(stills):
    assert [type(stills.classify([seen(1000, mark=RAISES)])[0]) for _ in range(2)] == [Poison, Poison]


def test_no_more_tracks_are_remembered_than_fit(stills):
    stills.classify([seen(1000, track=track) for track in range(MOST_TRACKS + 1)])
    assert which(stills.classify([seen(1000, track=MOST_TRACKS), seen(1000, track=0)])) == [
        MOST_TRACKS,
        MOST_TRACKS + 1,
    ]


def test_what_was_classified_for_a_spared_crop_is_what_it_gets(stills):
    (first,) = stills.classify([seen(1000)])
    (second,) = stills.classify([seen(1001)])
    assert np.array_equal(first, second)
