"""Outcomes for tests of smoothed results: what workers store of the frames of one source."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from contract import events
from contract.messages import FrameDone, FrameId, Outcome, Quality, Reading
from postprocessing.source_processor import ProcessorOutput, SourceProcessor
from postprocessing.track_processor import SmoothedReading
from tests.stage import HAPPY, SAD, UNSURE, reading

Entry = tuple[int, Outcome]
"""The time in ms at which an outcome was stored, and the outcome."""
START_MS = 1_000_000
SKEW_MS = 200
"""How much slower one worker may be than another."""


def frame(
    number: int, shown: dict[int, tuple[float, ...]], *, at_ms: int | None = None, previous: int | None = None
) -> list[Outcome]:
    """All outcomes of one frame: a reading for each track, then "frame done". Ten frames a second without `at_ms`."""
    captured_ms = START_MS + 100 * number if at_ms is None else at_ms
    readings = [
        reading(frame=number, track=track, probabilities=probabilities, captured_ms=captured_ms, index=index)
        for index, (track, probabilities) in enumerate(shown.items())
    ]
    identity = FrameId("front", "e1", number)
    return [*readings, FrameDone(identity, captured_ms, len(readings), 640, 480, previous=previous)]


def frames(*shown: dict[int, tuple[float, ...]]) -> list[list[Outcome]]:
    """Frames that follow each other."""
    return [frame(number, one, previous=number - 1 if number else None) for number, one in enumerate(shown)]


def stored(frames: Iterable[Sequence[Outcome]], delay_ms: int = 30) -> list[Entry]:
    """The entries of one worker: in order, a moment after the frame was captured."""
    return [(captured_ms(outcomes) + delay_ms, outcome) for outcomes in frames for outcome in outcomes]


def captured_ms(outcomes: Sequence[Outcome]) -> int:
    done = outcomes[-1]
    assert isinstance(done, FrameDone)
    return done.captured_ms


def shuffled(frames: Iterable[Sequence[Outcome]], dice: random.Random) -> list[Entry]:
    """The entries of several workers, out of order."""
    entries = [
        (captured_ms(outcomes) + 30 + dice.randrange(SKEW_MS), outcome) for outcomes in frames for outcome in outcomes
    ]
    return sorted(entries, key=lambda entry: entry[0])


def random_frames(dice: random.Random, count: int = 150) -> list[list[Outcome]]:
    """Frames of people who appear, leave and change, with bad crops, stale readings and skipped frames."""
    made, number, at_ms, previous = [], 0, START_MS, None
    moods: dict[int, tuple[float, ...]] = {}
    for _ in range(count):
        for track in range(1, 4):
            if dice.random() < 0.04:
                moods[track] = dice.choice([HAPPY, SAD, UNSURE])
            elif dice.random() < 0.02:
                moods.pop(track, None)
        shown = {track: mood for track, mood in moods.items() if dice.random() < 0.95}
        outcomes = frame(number, shown, at_ms=at_ms, previous=previous)
        made.append([_seen(outcome, dice) for outcome in outcomes])
        previous, number = number, number + dice.randrange(1, 4)
        at_ms += dice.randrange(30, 120) if dice.random() < 0.99 else 1500
    return made


def _seen(outcome: Outcome, dice: random.Random) -> Outcome:
    if not isinstance(outcome, Reading):
        return outcome
    if dice.random() < 0.03:
        return replace(outcome, probabilities=())
    noise = [share * dice.uniform(0.5, 1.5) for share in outcome.probabilities]
    quality = Quality(dice.random(), dice.random(), dice.uniform(15, 90), dice.random() / 2, dice.uniform(0.7, 1.0))
    face = replace(outcome.face, quality=quality)
    return replace(outcome, face=face, probabilities=tuple(share / sum(noise) for share in noise))


@dataclass
class Contents:
    """Readings and episodes of an output."""

    readings: list[tuple[int, int, dict[str, float], str | None]]
    """Frame, face, probabilities and emotion."""
    episodes: list[events.Episode]


def output(processor: SourceProcessor, entries: Iterable[Entry]) -> list[ProcessorOutput]:
    """The output for these entries, and after a minute without more."""
    last_ms, found = 0, []
    for last_ms, outcome in entries:
        found += processor.process(last_ms, outcome)
    return found + processor.advance_time(last_ms + 60_000)


def contents_of(outputs: Iterable[ProcessorOutput]) -> Contents:
    everything = list(outputs)
    readings = [
        (one.reading.id.frame, one.reading.face.index, one.probabilities, one.judgement and one.judgement.emotion)
        for one in everything
        if isinstance(one, SmoothedReading)
    ]
    return Contents(readings, list(episodes(everything)))


def episodes(outputs: Iterable[ProcessorOutput]) -> Iterator[events.Episode]:
    return (one for one in outputs if isinstance(one, events.Episode))
