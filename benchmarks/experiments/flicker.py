"""Label changes per minute, raw and smoothed, and the delay of a change of expression.

It chose the defaults of `EMOTII_SMOOTHING`, `EMOTII_LABEL_LEAD` and `EMOTII_LABEL_HOLD`:

    python benchmarks/experiments/flicker.py --model emotii-8 --video demo --video classroom.gif
    python benchmarks/experiments/flicker.py --sweep

A minute of each recording is read frame by frame, again and again from its beginning where it is shorter, and every
face classified. Synthetic readings are the softmax of logits with noise that lasts over some frames or does not; on a
switch, the expected logits go from one label to another at once.
"""

import math
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from statistics import median, quantiles
from typing import Annotated

import numpy as np
import typer

from capture_service.detectors import load as load_detector
from capture_service.faces.pipeline import FaceFinder
from capture_service.settings import CaptureSettings
from capture_service.sources import make_recorded
from capture_service.sources.spec import recording
from contract.judgement import Thresholds, judge
from contract.messages import Face, FrameId, Quality, Reading
from contract.model.folder import find_model
from contract.model.normalisation import CROP_SIZE
from contract.service.settings import load
from inference_service.engines import load as load_engine
from inference_service.settings import InferenceSettings
from postprocessing.parameters import SmoothingParameters
from postprocessing.track_processor import TrackProcessor

MINUTE_MS, MOOD_MS = 60_000, 2000
MOODS = MINUTE_MS // MOOD_MS
GOOD = Face(0, 1, (100.0, 60.0, 80.0, 90.0), 0.9, Quality(0.5, 0.8, 90.0, 0.0, 1.0))
SWITCHES = 58


@dataclass(frozen=True)
class Model:
    """The properties of a model that are needed to simulate its readings."""

    labels: tuple[str, ...]
    thresholds: Thresholds | None

    def reading(self, probabilities: Sequence[float], at_ms: int, face: Face = GOOD) -> Reading:
        name = FrameId("front", "e1", at_ms)
        read = tuple(probabilities)
        return Reading(name, face, at_ms, "made@1", self.labels, read, "w", at_ms, at_ms, self.thresholds)


@dataclass(frozen=True)
class Noise:
    """How noisy readings are: the expected logit of the shown label (0 of the others), and the noise on each."""

    logit: float
    deviation: float
    lasting: float = 0.0
    """Correlation of the noise from one reading to the next."""

    def __str__(self) -> str:
        return f"logit {self.logit:g}, noise {self.deviation:g}, lasting {self.lasting:g}"


NOISES = (Noise(5, 1), Noise(5, 1.5), Noise(4, 1.5), Noise(5, 1, 0.5), Noise(5, 1.5, 0.5), Noise(4, 1.5, 0.5))
CLEAR = (Noise(6, 0.5), Noise(7, 1), Noise(6, 1))


def noisy(model: Model, moods: Sequence[int], noise: Noise, dice: random.Random, fps: int = 15) -> list[Reading]:
    """Readings of one face that shows each of `moods`, given by its label's index, for two seconds."""
    drift = [dice.gauss(0, noise.deviation) for _ in model.labels]
    readings = []
    for number in range(len(moods) * MOOD_MS * fps // 1000):
        at_ms = round(number * 1000 / fps)
        fresh = math.sqrt(1 - noise.lasting**2) * noise.deviation
        drift = [noise.lasting * one + dice.gauss(0, fresh) for one in drift]
        powers = [math.exp(one + noise.logit * (index == moods[at_ms // MOOD_MS])) for index, one in enumerate(drift)]
        readings.append(model.reading([power / sum(powers) for power in powers], at_ms))
    return readings


def raw_labels(readings: Sequence[Reading]) -> list[str]:
    """The label of each reading alone."""
    return [judge(dict(zip(one.labels, one.probabilities, strict=True)), one.thresholds).emotion for one in readings]


def smoothed_labels(readings: Sequence[Reading], parameters: SmoothingParameters) -> list[str]:
    """The smoothed labels of the track."""
    course = TrackProcessor()
    smoothed = (course.process(one, one.captured_ms, parameters)[0].judgement for one in readings)
    return [judgement.emotion for judgement in smoothed if judgement]


def changes(labels: Sequence[str]) -> int:
    """The number of label changes."""
    return sum(before != after for before, after in pairwise(labels))


def delays_ms(model: Model, noise: Noise, parameters: SmoothingParameters, fps: int = 15) -> list[int]:
    """The delay of each of 58 changes of label after the first reading with the new one; at most 2 s."""
    found: list[int] = []
    dice = random.Random(1)  # noqa: S311 - noise, not secrets
    while len(found) < SWITCHES:
        moods = _moods(model, dice)
        readings = noisy(model, moods, noise, dice, fps)
        labelled = list(zip(readings, smoothed_labels(readings, parameters), strict=True))
        for number in range(1, len(moods)):
            mood = model.labels[moods[number]]
            later = (one.captured_ms - MOOD_MS * number for one, label in labelled if label == mood)
            found.append(min(next((ms for ms in later if ms >= 0), MOOD_MS), MOOD_MS))
    return found


def _moods(model: Model, dice: random.Random) -> list[int]:
    """The labels that a face shows in a minute, two seconds each, never the same twice in a row."""
    moods = [0]
    while len(moods) < MOODS:
        moods.append(dice.choice([index for index in range(len(model.labels)) if index != moods[-1]]))
    return moods


def recorded(video: str, model: str) -> Iterator[list[Reading]]:
    """The readings of each track in a minute of a recording."""
    settings = load(CaptureSettings)
    source = make_recorded(recording(video, 1000), settings)
    source.open()
    finder = FaceFinder(video, load_detector("blazeface"))
    engine = load_engine(load(InferenceSettings, model=model, batch=8, threads=1))
    card = Model(engine.card.labels, engine.card.uncertain)
    tracks = defaultdict(list)
    while (frame := source.read()) is not None and frame.seconds * 1000 < MINUTE_MS:
        if frame.picture is None or not (found := finder.find(frame.picture, frame.seconds)):
            continue
        pixels = np.frombuffer(b"".join(one.pixels for one in found), np.uint8).reshape(-1, CROP_SIZE, CROP_SIZE)
        for one, probabilities in zip(found, engine.classify(pixels), strict=True):
            reading = card.reading(probabilities.tolist(), round(frame.seconds * 1000), one.face)
            tracks[one.face.track].append(reading)
    source.close()
    yield from tracks.values()


def main(
    model: Annotated[str, typer.Option()] = "emotii-8",
    video: Annotated[list[str] | None, typer.Option(help="Recordings; `demo` is the bundled clip.")] = None,
    sweep: Annotated[bool, typer.Option(help="Compare settings.")] = False,
) -> None:
    """Print the tables."""
    card = find_model(model).card
    made = Model(card.labels, card.uncertain)
    minutes = {name: list(recorded(name, model)) for name in video or ["demo"]}
    dice = random.Random(1)  # noqa: S311 - noise, not secrets
    minutes |= {str(noise): [noisy(made, [0] * MOODS, noise, dice)] for noise in NOISES}
    if sweep:
        compare(made, minutes)
    else:
        show(made, minutes, SmoothingParameters())


def show(model: Model, minutes: Mapping[str, list[list[Reading]]], parameters: SmoothingParameters) -> None:
    """All figures of one setting."""
    print(f"{parameters}\n\n| a minute of | raw | smoothed | times fewer |\n|---|---|---|---|")
    for name, tracks in minutes.items():
        raw, smoothed = counts(tracks, parameters)
        print(f"| {name} | {raw} | {smoothed} | {raw / smoothed if smoothed else math.inf:.1f} |")
    print("\n| a switch with | median ms | 95 of 100 within ms |\n|---|---|---|")
    for noise in CLEAR:
        delays = delays_ms(model, noise, parameters)
        print(f"| {noise} | {median(delays):.0f} | {quantiles(delays, n=20)[-1]:.0f} |")


def compare(model: Model, minutes: Mapping[str, list[list[Reading]]]) -> None:
    """One line per setting: the worst figures."""
    print("| constant ms | lead | hold ms | smoothed, all | times fewer, worst | 95 of 100 within ms, worst |")
    print("|---|---|---|---|---|---|")
    for constant_ms, lead, hold_ms in product((100, 150, 200, 250, 300), (0.0, 0.1, 0.2, 0.3), (0, 100, 150, 200)):
        parameters = SmoothingParameters(constant_ms, lead, hold_ms)
        found = [counts(tracks, parameters) for tracks in minutes.values()]
        fewer = min(raw / max(smoothed, 1) for raw, smoothed in found)
        slowest = max(quantiles(delays_ms(model, noise, parameters), n=20)[-1] for noise in CLEAR)
        everything = sum(smoothed for _, smoothed in found)
        print(f"| {constant_ms} | {lead} | {hold_ms} | {everything} | {fewer:.1f} | {slowest:.0f} |")


def counts(tracks: Sequence[Sequence[Reading]], parameters: SmoothingParameters) -> tuple[int, int]:
    """Label changes of all tracks, raw and smoothed."""
    raw = sum(changes(raw_labels(track)) for track in tracks)
    return raw, sum(changes(smoothed_labels(track, parameters)) for track in tracks)


if __name__ == "__main__":
    typer.run(main)
