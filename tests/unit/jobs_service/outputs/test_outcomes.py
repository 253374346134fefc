"""The outcomes of a job: complete, in order, without duplicates."""

from contract.messages import Face, FrameDone, FrameId, Quality, Reading
from jobs_service.outputs.outcomes import Outcomes, UnclassifiedFace

QUALITY = Quality(0.5, 0.5, 80, 0, 1)


def reading(frame: int, face: int) -> Reading:
    place = Face(face, 1, (0, 0, 10, 10), 0.9, QUALITY)
    return Reading(FrameId("job", "e", frame), place, 0, "m@1.0.0", ("happy", "sad"), (0.9, 0.1), "w", 0, 0)


def done(frame: int, faces: int) -> FrameDone:
    return FrameDone(FrameId("job", "e", frame), 0, faces, 640, 480)


def places(outcomes: Outcomes) -> list[tuple[int, int]]:
    return [
        (face.frame, face.index) if isinstance(face, UnclassifiedFace) else (face.id.frame, face.face.index)
        for frame in outcomes.complete_frames()
        for face in frame.faces
    ]


def test_frames_are_returned_in_order_for_any_order_of_their_outcomes():
    outcomes = Outcomes()
    for outcome in (reading(1, 0), done(0, 2), reading(0, 1), done(1, 1), reading(0, 0)):
        outcomes.add(outcome)
    assert places(outcomes) == [(0, 0), (0, 1), (1, 0)]


def test_a_frame_waits_for_its_end_and_for_all_its_faces():
    outcomes = Outcomes()
    outcomes.add(reading(0, 0))
    assert places(outcomes) == []
    outcomes.add(done(0, 2))
    assert places(outcomes) == []
    outcomes.add(reading(0, 1))
    assert places(outcomes) == [(0, 0), (0, 1)]


def test_a_duplicate_is_counted_and_dropped_before_and_after_its_frame_is_complete():
    outcomes = Outcomes()
    for outcome in (reading(0, 0), reading(0, 0), done(0, 1), done(0, 1)):
        outcomes.add(outcome)
    assert places(outcomes) == [(0, 0)]
    outcomes.add(reading(0, 0))
    outcomes.add(done(0, 1))
    assert places(outcomes) == []
    assert outcomes.duplicates == 4


def test_a_frame_without_faces_is_complete_with_its_end():
    outcomes = Outcomes()
    outcomes.add(done(0, 0))
    assert [frame.faces for frame in outcomes.complete_frames()] == [()]
    assert outcomes.completed == 1


def test_a_dead_lettered_crop_is_an_outcome():
    outcomes = Outcomes()
    outcomes.add(done(0, 1))
    outcomes.add(UnclassifiedFace(0, 0, "poison"))
    assert places(outcomes) == [(0, 0)]


def test_missing_names_exactly_the_frame_ends_and_crops_that_have_no_outcome():
    outcomes = Outcomes()
    for outcome in (done(0, 1), reading(0, 0), done(1, 2), reading(1, 1), reading(2, 0)):
        outcomes.add(outcome)
    list(outcomes.complete_frames())
    assert outcomes.missing({0: 1, 1: 2, 2: 1, 3: 0}) == ({2, 3}, {(1, 0)})
