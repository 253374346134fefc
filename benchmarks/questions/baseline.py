"""What the system costs, against the loop of the first Emotii on the same video, and as a share of two cores."""

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
from benchmarks.reporting.command import alone
from benchmarks.testbed.clips import classroom, one_face
from benchmarks.testbed.system import System, Watch, system
from capture_service.sources.spec import DEMO_CLIP

ABOUT = (
    "All processes of the system, Redis with them, while it watches a video at 30 frames a second and one viewer looks "
    "at it, against the loop of the first Emotii on the same video, which takes its frames as fast as it can. The two "
    "take turns; neither runs while the other does."
)
OLD, WHOLE = "old loop", "whole system"
FPS = 30
CORES = 2


def ask(size: Size, console: Console) -> Answer:
    """The old loop and the system in turns, then the system alone with one face."""
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
            watches = [running.watch(seconds) for _ in range(size.rounds)]
    rows = [*_against(samples, turns, "classroom.gif" if crowded else "the demo clip"), *_share(watches)]
    return Answer("baseline", ABOUT, rows)


class Turns:
    """One turn each of the two ways, and what they found.

    Args:
        old: does so many frames and tells of it.
        running: watches the same video.
        seconds: a turn of the system.
        frames: a turn of the old loop.
    """

    def __init__(self, old: Callable[[int], dict[str, float]], running: System, seconds: float, frames: int) -> None:
        self._old, self._running, self._seconds, self._frames = old, running, seconds, frames
        self.old_faces: list[float] = []
        """A frame, of every turn."""
        self.watches: list[Watch] = []

    def old(self) -> Sample:
        with self._running.resting():
            told = self._old(self._frames)
        self.old_faces.append(told["faces"] / told["frames"])
        return Sample(told["frames"], told["wall_s"], told["cpu_s"])

    def whole(self) -> Sample:
        self.watches.append(self._running.watch(self._seconds))
        return self.watches[-1].sample


@contextmanager
def _old_loop(video: Path) -> Iterator[Callable[[int], dict[str, float]]]:
    command = [sys.executable, "-m", "benchmarks.comparisons.old_loop", str(video)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as loop:
        if loop.stdin is None or loop.stdout is None:
            raise RuntimeError("no pipes")
        words, answers = loop.stdin, loop.stdout

        def run(frames: int) -> dict[str, float]:
            print(frames, file=words, flush=True)
            told: dict[str, float] = json.loads(answers.readline())
            return told

        run(1)
        yield run
        words.close()


def _against(samples: dict[str, list[Sample]], turns: Turns, video: str) -> Iterator[Row]:
    rate = {name: [sample.per_cpu_second for sample in found] for name, found in samples.items()}
    faces = middle([watch.faces / max(1, watch.frames) for watch in turns.watches])
    note = f"faces a frame: {faces:.1f}, the old loop {middle(turns.old_faces):.1f}"
    name = f"frames per CPU second, {video} at 640 wide, one viewer"
    yield Row.of(name, ratios(rate[WHOLE], rate[OLD]), "x", ratio_to=OLD, must=8, reach=20, note=note)
    yield from (Row.of(f"frames per CPU second, {name}", rate[name], "frames/CPU s") for name in rate)
    yield Row.of(f"frames a second, {OLD}", [sample.per_second for sample in samples[OLD]], "frames/s")
    yield from _costs(turns.watches, video)


def _share(watches: Sequence[Watch]) -> Iterator[Row]:
    shares = [100 * watch.sample.cores / CORES for watch in watches]
    pace, skipped = middle(watch.sample.per_second for watch in watches), sum(watch.skipped for watch in watches)
    note = f"{pace:.1f} frames/s, {skipped} skipped"
    name = f"share of {CORES} cores, one 640x480 source at {FPS}/s, one face, one viewer"
    yield Row.of(name, shares, "%", must=30, reach=15, at_most=True, note=note)
    yield from _costs(watches, "one face")


def _costs(watches: Sequence[Watch], what: str) -> Iterator[Row]:
    for process in watches[0].cpu_s:
        costs = [1000 * watch.cpu_s[process] / max(1, watch.frames) for watch in watches]
        yield Row.of(f"CPU a frame, {what}, {process}", costs, "ms")


if __name__ == "__main__":
    alone(ask)
