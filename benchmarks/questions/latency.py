"""The latency from a frame to its event at a client: by stage, at several frame rates, idle and with other sources."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from rich.console import Console
from websockets.sync.client import ClientConnection, connect

from benchmarks.measuring.measure import Size
from benchmarks.reporting.answer import Answer, Row, Series
from benchmarks.reporting.command import run_question
from benchmarks.testbed.clips import one_face
from benchmarks.testbed.system import system
from benchmarks.testbed.testbed import testbed
from capture_service.detectors import load as load_detector
from capture_service.frame import Picture
from contract.model.normalisation import CROP_SIZE
from contract.service.settings import load
from inference_service.engines import load as load_engine
from inference_service.settings import InferenceSettings

STAGES = ("detect_ms", "infer_ms", "deliver_ms")
"""As reported by the events; the rest of the latency is the way to the client."""
SHARES = (50, 95, 99)
OTHERS = 3
"""The number of other sources, if not idle."""
OTHERS_FPS = 15
ROUND_TRIPS = 3
TURNS = 50
NAME = "one"


@dataclass
class Latencies:
    """The latencies of the events of a period, in ms."""

    total: list[float] = field(default_factory=list)
    """From the frame until the client received its event."""
    stages: dict[str, list[float]] = field(default_factory=lambda: {stage: [] for stage in STAGES})

    def at(self, share: int) -> float:
        """This percentile of the total."""
        return float(np.percentile(self.total, share)) if self.total else float("nan")


@dataclass(frozen=True)
class Case:
    """The load of the system."""

    fps: int
    others: int

    @property
    def words(self) -> str:
        return f"{self.fps} frames/s, {f'{self.others} other sources' if self.others else 'idle'}"


def ask(size: Size, console: Console) -> Answer:
    """Run the whole system in each case, with one viewer and one WebSocket client."""
    rates = size.of((15,), (30,), (5, 15, 30))
    beside = size.of((0,), (0,), (0, OTHERS))
    seconds, rounds = size.of(1.0, 2.0, 6.0), size.rounds
    with TemporaryDirectory(prefix="emotii-bench-") as folder:
        clip = one_face(Path(folder))
        parts = _parts(clip, size.of(5, TURNS, TURNS))
        console.print(", ".join(f"{name} {cost:.2f} ms" for name, cost in parts.items()))
        cases = [Case(fps, others) for others in beside for fps in rates]
        found = {case: _measured(clip, case, seconds, rounds) for case in cases}
    rows = [Row(name, cost, "ms") for name, cost in parts.items()]
    for case, latencies in found.items():
        rows += _rows(case, latencies)
    rows.append(_ratio(found[Case(max(rates), 0)], sum(parts.values())))
    about = (
        "One person at 640x480, detected, classified and sent to one WebSocket client, while one viewer watches the "
        f"video. The other sources show the same at {OTHERS_FPS} frames a second each. All times are from one clock, "
        "in whole milliseconds up to the gateway."
    )
    lines = {
        f"p{share}, {'beside others' if others else 'idle'}": [
            (float(case.fps), median(one.at(share) for one in latencies))
            for case, latencies in found.items()
            if case.others == others
        ]
        for others in beside
        for share in SHARES
    }
    return Answer("latency", about, rows, [Series("Latency of an event at the client", "frames a second", "ms", lines)])


def _parts(clip: Path, turns: int) -> dict[str, float]:
    """The indispensable parts, each alone: medians in ms."""
    picture = _first_picture(clip)
    detector = load_detector("blazeface")
    engine = load_engine(load(InferenceSettings, threads=1))
    crop = np.zeros((1, CROP_SIZE, CROP_SIZE), np.uint8)
    with testbed() as here:
        ways: dict[str, Callable[[], object]] = {
            "one detection": lambda: detector.detect(picture),
            "one engine call": lambda: engine.classify(crop),
            "three Redis round trips": lambda: [here.clients.commands.ping() for _ in range(ROUND_TRIPS)],
        }
        costs: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(turns):
            for name, way in ways.items():
                started = time.perf_counter()
                way()
                costs[name].append(1000 * (time.perf_counter() - started))
    return {name: median(found) for name, found in costs.items()}


def _first_picture(clip: Path) -> Picture:
    video = cv2.VideoCapture(str(clip))
    picture = video.read()[1]
    video.release()
    return np.asarray(picture, np.uint8)


def _measured(clip: Path, case: Case, seconds: float, rounds: int) -> list[Latencies]:
    """The latencies of each round."""
    sources = {NAME: f"{clip}?loop=1&fps={case.fps}"}
    sources |= {f"other{number}": f"{clip}?loop=1&fps={OTHERS_FPS}" for number in range(case.others)}
    with system(sources, viewers=1, threads=1) as running:
        address = f"{running.testbed.gateway_url.replace('http', 'ws', 1)}/ws/emotions?kind=reading&source={NAME}"
        with connect(address, compression=None) as client:
            return [_received(client, seconds) for _ in range(rounds)]


def _received(client: ClientConnection, seconds: float) -> Latencies:
    latencies, until = Latencies(), time.monotonic() + seconds
    while time.monotonic() < until:
        message, now_ms = json.loads(client.recv(timeout=10)), 1000 * time.time()
        for event in message if isinstance(message, list) else ():
            if event["kind"] == "reading" and event["stages"]:
                latencies.total.append(now_ms - event["captured_ms"])
                for name in STAGES:
                    latencies.stages[name].append(event["stages"][name])
    return latencies


def _rows(case: Case, latencies: Sequence[Latencies]) -> Iterator[Row]:
    for share in SHARES:
        stages: Mapping[str, float] = {
            name: median(float(np.percentile(one.stages[name], share)) for one in latencies if one.total)
            for name in STAGES
        }
        note = ", ".join(f"{name.removesuffix('_ms')} {value:.0f}" for name, value in stages.items())
        yield Row.of(f"latency p{share}, {case.words}", [one.at(share) for one in latencies], "ms", note=note)


def _ratio(latencies: Sequence[Latencies], least: float) -> Row:
    return Row.of(
        "latency p95 of an event",
        [one.at(95) / least for one in latencies],
        "x",
        ratio_to="one detection + one engine call + three Redis round trips",
        must=3.0,
        reach=1.5,
        at_most=True,
    )


if __name__ == "__main__":
    run_question(ask)
