"""The cost of Redis: crops to results through one worker, compared with its bare engine."""

import time
from collections.abc import Callable
from functools import partial

from rich.console import Console

from benchmarks.measuring.measure import Sample, Size, alternate, ratios, timed
from benchmarks.measuring.processes import Processes, differences
from benchmarks.reporting.answer import Answer, Row
from benchmarks.reporting.command import run_question
from benchmarks.testbed.crop_generator import CropGenerator
from benchmarks.testbed.testbed import Testbed, testbed, until
from contract import keys
from contract.model.folder import find_model
from inference_service.engines import probe
from inference_service.engines.openvino import OpenVinoEngine
from inference_service.settings import InferenceSettings

ABOUT = (
    "Frames of four faces from the stream of their capture to the results, through one worker process with default "
    "settings and Redis with its append-only file, compared with the same engine on one thread in batches of 32. The "
    "CPU time includes the worker and Redis, with the storing of the crops, but not the sender."
)
FACES = 4
BARE, THROUGH = "bare engine", "through Redis and a worker"


def ask(size: Size, console: Console) -> Answer:
    """Run both in turns."""
    faces = size.of(64, 1024, 8192)
    with testbed() as here:
        here.start("worker", "inference_service")
        until(lambda: here.clients.commands.hlen(keys.WORKERS), what="a worker")
        console.print(f"{faces} faces each way and round ...")
        through = Through(here, faces)
        ways: dict[str, Callable[[], Sample]] = {BARE: partial(_bare, _engine(), faces), THROUGH: through.turn}
        samples = alternate(ways, size.rounds, warm_up=True)
    return Answer("pipeline", ABOUT, _rows(samples, through.costs[-size.rounds :]))


class Through:
    """Crops through the whole pipeline; each turn removes its results.

    Args:
        here: a testbed with a worker.
        faces: per turn.
    """

    def __init__(self, here: Testbed, faces: int) -> None:
        self._supply = CropGenerator(here.clients.commands, faces=FACES)
        self._processes: Processes = here.processes()
        self._faces = faces
        self.costs: list[dict[str, float]] = []
        """CPU seconds per face, by process, for every turn."""

    def turn(self) -> Sample:
        started, before = time.perf_counter(), self._processes.cpu_seconds()
        sent = self._supply.send(self._faces)
        self._supply.await_outcomes()
        spent = differences(self._processes.cpu_seconds(), before)
        wall = time.perf_counter() - started
        self._supply.clear()
        self.costs.append({name: seconds / sent for name, seconds in spent.items()})
        return Sample(sent, wall, sum(spent.values()))


def _engine() -> OpenVinoEngine:
    settings = {name: field.default for name, field in InferenceSettings.model_fields.items()}
    return OpenVinoEngine(
        find_model(settings["model"]),
        precision=settings["precision"],
        threads=settings["threads"],
        batch=settings["batch"],
    )


def _bare(engine: OpenVinoEngine, faces: int) -> Sample:
    pixels = probe(InferenceSettings.model_fields["batch"].default)

    def work() -> float:
        turns = max(1, faces // len(pixels))
        for _ in range(turns):
            engine.classify(pixels)
        return turns * len(pixels)

    return timed(work)


def _rows(samples: dict[str, list[Sample]], costs: list[dict[str, float]]) -> list[Row]:
    rate = {name: [sample.per_cpu_second for sample in found] for name, found in samples.items()}
    kept = ratios(rate[THROUGH], rate[BARE])
    rows = [Row.of("faces per CPU second, one worker", kept, "x", ratio_to="the bare engine", must=0.7, reach=0.8)]
    rows += [Row.of(f"faces per CPU second, {name}", rate[name], "faces/CPU s") for name in rate]
    rows += [
        Row.of(f"faces a second, {name}", [sample.per_second for sample in found], "faces/s")
        for name, found in samples.items()
    ]
    rows.append(Row.of("CPU a face, bare engine", [1e6 / found for found in rate[BARE]], "us"))
    rows += [Row.of(f"CPU a face, {name}", [1e6 * cost[name] for cost in costs], "us") for name in costs[0]]
    return rows


if __name__ == "__main__":
    run_question(ask)
