"""What `EMOTII_REUSE` spares, and what it changes in the readings.

    python -m benchmarks.stills --video demo --video classroom.gif

Every face of a minute of each recording is classified; then again as a worker with that setting does it.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from capture_service.detectors import load as load_detector
from capture_service.faces.pipeline import FaceFinder
from capture_service.settings import CaptureSettings
from capture_service.sources import make_recorded
from capture_service.sources.spec import recording
from contract.judgement import judge
from contract.messages import Crop, FrameId
from contract.messages.fast_parse import ParsedCrop
from contract.service.settings import load
from inference_service.engines import Engine
from inference_service.engines import load as load_engine
from inference_service.engines.engine import Pixels, Probabilities
from inference_service.poison import IsolatingClassifier, Poison
from inference_service.settings import InferenceSettings
from inference_service.stills import Stills

MINUTE_MS = 60_000
NEVER_STALE = 10**12
TIMES_MS = (50, 100, 200, 500, 1000)

Frames = list[list[ParsedCrop]]


class Counting:
    """An engine that counts what it classifies."""

    def __init__(self, engine: Engine) -> None:
        self.name, self.card = engine.name, engine.card
        self.classified = 0
        self._engine = engine

    def classify(self, pixels: Pixels) -> Probabilities:
        self.classified += len(pixels)
        return self._engine.classify(pixels)


def main(
    video: Annotated[list[str] | None, typer.Option(help="Recordings; `demo` is the bundled clip.")] = None,
) -> None:
    """Print a table a recording."""
    engine = Counting(load_engine(load(InferenceSettings)))
    for name in video or ["demo"]:
        frames = list(_frames(name))
        each = _read(engine, frames, 0)
        print(f"{name}: {len(each)} faces\n\n| ms | not classified | told otherwise | mean difference | largest |")
        print("|---|---|---|---|---|")
        for for_ms in TIMES_MS:
            engine.classified = 0
            reused = _read(engine, frames, for_ms)
            spared = 1 - engine.classified / len(each)
            otherwise = np.mean([_told(engine, one) != _told(engine, other) for one, other in zip(each, reused)])  # noqa: B905
            differences = np.abs(each - reused).max(axis=1)
            told = f"{spared:.1%} | {otherwise:.2%} | {differences.mean():.4f} | {differences.max():.3f}"
            print(f"| {for_ms} | {told} |")


def _frames(video: str) -> Iterator[list[ParsedCrop]]:
    """The faces of every frame of the recording's first minute that shows any."""
    source = make_recorded(recording(video, 1000), load(CaptureSettings))
    source.open()
    finder = FaceFinder(video, load_detector("blazeface"))
    number = 0
    while (frame := source.read()) is not None and frame.seconds * 1000 < MINUTE_MS:
        number += 1
        if frame.picture is None or not (found := finder.find(frame.picture, frame.seconds)):
            continue
        at, now_ms = FrameId("video", "e1", number), round(frame.seconds * 1000)
        yield [ParsedCrop.of(Crop(at, one.face, now_ms, NEVER_STALE, one.pixels)) for one in found]
    source.close()


def _read(engine: Engine, frames: Frames, for_ms: int) -> NDArray[np.float32]:
    """The probabilities (n, labels) of all faces."""
    stills = Stills(IsolatingClassifier(engine), for_ms)
    return np.stack([_sound(verdict) for crops in frames for verdict in stills.classify(crops)])


def _sound(verdict: Probabilities | Poison) -> Probabilities:
    if isinstance(verdict, Poison):
        raise RuntimeError(verdict.reason)  # noqa: TRY004 - of the right type, and yet no answer
    return verdict


def _told(engine: Engine, probabilities: Sequence[float]) -> str:
    return judge(dict(zip(engine.card.labels, probabilities, strict=True)), engine.card.uncertain).emotion


if __name__ == "__main__":
    typer.run(main)
