from dataclasses import replace

from api_gateway.results.active_tracks import ACTIVE_MS, ActiveTracks
from contract.judgement import Judgement
from postprocessing.track_processor import SmoothedReading
from tests.stage import processed, reading

HAPPY = Judgement("happy", 95.0)


def smoothed(frame: int = 0, judgement: Judgement | None = HAPPY, **more: object) -> SmoothedReading:
    return SmoothedReading(reading(frame=frame, captured_ms=1_000_000 + 100 * frame, **more), 1_000_000, {}, judgement)


def show(tracks: ActiveTracks, frame: int = 0, **more: object):
    one = smoothed(frame, **more)
    tracks.reading(processed(one))
    return one.reading


def test_a_track_shows_its_latest_reading():
    tracks = ActiveTracks()
    show(tracks, 1)
    show(tracks, 2, judgement=Judgement("sad", 80.0))
    (track,) = tracks.of("front", 1_000_500)
    assert (track.judgement.emotion, track.latest.id.frame) == ("sad", 2)


def test_a_stale_reading_shows_nothing():
    tracks = ActiveTracks()
    show(tracks, 1)
    stale = smoothed(2, judgement=None)
    tracks.reading(processed(replace(stale, reading=replace(stale.reading, probabilities=()))))
    assert tracks.get(("front", "e1", 1), 1_000_500).latest.id.frame == 1


def test_the_largest_face_is_the_most_prominent():
    tracks = ActiveTracks()
    show(tracks, 1, track=1, box=(0.0, 0.0, 50.0, 50.0))
    show(tracks, 1, track=2, box=(90.0, 0.0, 60.0, 60.0))
    show(tracks, 1, track=3, box=(0.0, 90.0, 200.0, 10.0))
    assert [track.latest.face.track for track in tracks.of("front", 1_000_100)] == [2, 1, 3]


def test_a_track_is_forgotten_two_seconds_after_its_last_frame():
    tracks = ActiveTracks()
    seen = show(tracks).captured_ms
    assert tracks.of("front", seen + ACTIVE_MS)
    assert not tracks.of("front", seen + ACTIVE_MS + 1)
    assert tracks.get(("front", "e1", 1), seen + ACTIVE_MS + 1) is None
    tracks.prune(seen + ACTIVE_MS + 1)
    assert tracks.get(("front", "e1", 1), seen) is None
