"""The cost of the system, compared with the loop of the first Emotii on the same video, and as a share of two cores."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from benchmarks.measuring.measure import Sample, Size, alternate, middle, ratios
from benchmarks.reporting.answer import Answer, Row
from benchmarks.reporting.command import run_question
from benchmarks.testbed.clips import classroom, one_face
from benchmarks.testbed.system import Observation, System, system
from capture_service.sources.spec import DEMO_CLIP

ABOUT = (
    "All processes of the system, including Redis, while it captures a video at 30 frames a second for one viewer, "
    "compared with the loop of the first Emotii on the same video, which takes its frames as fast as it can. The two "
    "take turns; neither runs while the other does."
)
OLD, WHOLE = "old loop", "whole system"
FPS = 30
CORES = 2


def ask(size: Size, console: Console) -> Answer:
    """Run the old loop and the system in turns, then the system alone with one face."""
    seconds = size.of(1.0, 2.0, 12.0)
    with tempfile.TemporaryDirectory(prefix="emotii-bench-") as folder:
        crowded = classroom(Path(folder))
        video = crowded or DEMO_CLIP
        console.print("the old loop and the whole system in turns ...")
        with _old_loop(video) as old, system({"video": f"{video}?loop=1&fps={FPS}"}, viewers=1) as running:
            turns = Turns(old, running, seconds, size.of(3, 8, 90))
            samples = alternate({OLD: turns.old, WHOLE: turns.whole}, size.rounds)
        console.print("one face at 30 frames a second ...")
        with system({"one": f"{one_face(Path(folder))}?loop=1&fps={FPS}"}, viewers=1) as running:
            observations = [running.observe(seconds) for _ in range(size.rounds)]
    rows = [*_against(samples, turns, "classroom.gif" if crowded else "the demo clip"), *_share(observations)]
    return Answer("baseline", ABOUT, rows)


class Turns:
    """The turns of both sides, and their observations.

    Args:
        old: processes a number of frames and returns its figures.
        running: captures the same video.
        seconds: of a turn of the system.
        frames: of a turn of the old loop.
    """

    def __init__(self, old: Callable[[int], dict[str, float]], running: System, seconds: float, frames: int) -> None:
        self._old, self._running, self._seconds, self._frames = old, running, seconds, frames
        self.old_faces: list[float] = []
        """Per frame, for every turn."""
        self.observations: list[Observation] = []

    def old(self) -> Sample:
        with self._running.resting():
            figures = self._old(self._frames)
        self.old_faces.append(figures["faces"] / figures["frames"])
        return Sample(figures["frames"], figures["wall_s"], figures["cpu_s"])

    def whole(self) -> Sample:
        self.observations.append(self._running.observe(self._seconds))
        return self.observations[-1].sample


@contextmanager
def _old_loop(video: Path) -> Iterator[Callable[[int], dict[str, float]]]:
    command = [sys.executable, "-m", "benchmarks.comparisons.old_loop", str(video)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as loop:
        if loop.stdin is None or loop.stdout is None:
            raise RuntimeError("no pipes")
        requests, answers = loop.stdin, loop.stdout

        def run(frames: int) -> dict[str, float]:
            print(frames, file=requests, flush=True)
            figures: dict[str, float] = json.loads(answers.readline())
            return figures

        run(1)
        yield run
        requests.close()


def _against(samples: dict[str, list[Sample]], turns: Turns, video: str) -> Iterator[Row]:
    rate = {name: [sample.per_cpu_second for sample in found] for name, found in samples.items()}
    faces = middle([observed.faces / max(1, observed.frames) for observed in turns.observations])
    note = f"faces a frame: {faces:.1f}, the old loop {middle(turns.old_faces):.1f}"
    name = f"frames per CPU second, {video} at 640 wide, one viewer"
    yield Row.of(name, ratios(rate[WHOLE], rate[OLD]), "x", ratio_to=OLD, must=8, reach=20, note=note)
    yield from (Row.of(f"frames per CPU second, {name}", rate[name], "frames/CPU s") for name in rate)
    yield Row.of(f"frames a second, {OLD}", [sample.per_second for sample in samples[OLD]], "frames/s")
    yield from _costs(turns.observations, video)


def _share(observations: Sequence[Observation]) -> Iterator[Row]:
    shares = [100 * observed.sample.cores / CORES for observed in observations]
    pace, skipped = (
        middle(observed.sample.per_second for observed in observations),
        sum(observed.skipped for observed in observations),
    )
    note = f"{pace:.1f} frames/s, {skipped} skipped"
    name = f"share of {CORES} cores, one 640x480 source at {FPS}/s, one face, one viewer"
    yield Row.of(name, shares, "%", must=30, reach=15, at_most=True, note=note)
    yield from _costs(observations, "one face")


def _costs(observations: Sequence[Observation], what: str) -> Iterator[Row]:
    for process in observations[0].cpu_s:
        costs = [1000 * observed.cpu_s[process] / max(1, observed.frames) for observed in observations]
        yield Row.of(f"CPU a frame, {what}, {process}", costs, "ms")


if __name__ == "__main__":
    run_question(ask)
