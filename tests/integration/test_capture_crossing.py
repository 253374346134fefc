"""People who pass each other, through the real detector: each keeps the track."""

import pytest

from capture_service import detectors
from capture_service.faces.pipeline import FaceFinder
from tests.crossing import VARIATIONS, Crossing, stay, tracks_by_person


@pytest.fixture(
    scope="module",
    params=[pytest.param(0.0, marks=pytest.mark.long, id="every frame"), pytest.param(0.2, id="followed")],
)
def faces(request: pytest.FixtureRequest) -> FaceFinder:
    return FaceFinder("crossing", detectors.load("blazeface"), detect_every=request.param)


def test_the_crossing_has_twenty_variations():
    assert len(set(VARIATIONS)) == 20


@pytest.mark.parametrize(
    "crossing",
    [
        pytest.param(crossing, id=str(number), marks=pytest.mark.long if crossing.swapped else [])
        for number, crossing in enumerate(VARIATIONS, 1)
    ],
)
def test_tracks_stay_with_the_person_when_two_pass_each_other(crossing: Crossing, faces: FaceFinder):
    tracks = tracks_by_person(crossing, faces)
    assert stay(tracks), f"{crossing}: in front {tracks[0]}, behind {tracks[1]}"
