"""Readings and episodes as a gateway publishes them, for tests of its history."""

from contract import events
from tests.stage import HAPPY, QUALITY, reading

MODEL = "test@1.0.0"


def reading_event(
    captured_ms: int,
    source: str = "front",
    track: int = 1,
    probabilities: tuple[float, ...] = HAPPY,
    epoch: str = "e1",
) -> events.Reading:
    """A reading of a live source."""
    one = reading(source, captured_ms // 66, track, probabilities, captured_ms=captured_ms, epoch=epoch)
    return events.Reading.from_message(one, None, 5, None)


def episode(
    start_ms: int,
    end_ms: int,
    phase: events.Phase = "end",
    source: str = "front",
    track: int = 1,
    emotion: str = "happy",
) -> events.Episode:
    """An episode of a live source."""
    box = 10.0, 20.0, 80.0, 90.0
    return events.Episode(
        phase=phase,
        id=f"{source}-e1-{track}-{start_ms // 66}",
        source=source,
        epoch="e1",
        track=track,
        emotion=emotion,
        start_ms=start_ms,
        end_ms=end_ms,
        duration_ms=end_ms - start_ms,
        peak=events.Peak(confidence=97.5, frame=start_ms // 66, captured_ms=start_ms),
        mean_confidence=90.1,
        readings=1 + (end_ms - start_ms) // 66,
        best_face=events.BestFace(frame=start_ms // 66, captured_ms=start_ms, box=box, quality=QUALITY),
        model=MODEL,
    )
