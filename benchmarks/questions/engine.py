"""The speed of engines, by batch and precision, and as a share of the peak of the processor."""

import time
from collections.abc import Iterator, Sequence
from functools import partial

from rich.console import Console

from benchmarks.comparisons.other_runtimes import Classify, keras_ways, onnxruntime_way
from benchmarks.measuring.measure import Sample, Size, alternate, middle, ratios, timed
from benchmarks.measuring.peak import Multiplication, operations_a_face
from benchmarks.reporting.answer import Answer, Row, Series
from benchmarks.reporting.command import run_question
from contract.model.folder import find_model
from inference_service.engines import probe
from inference_service.engines.openvino import OpenVinoEngine
from inference_service.settings import InferenceSettings

ABOUT = (
    "The same network and the same crops with every engine, in turns in one process, with all cores free for each. "
    "`model.predict` on one face at a time is what the first Emotii did."
)
BATCHES = {Size.TINY: (1, 2), Size.QUICK: (1, 32), Size.FULL: (1, 8, 32, 128)}
Samples = dict[tuple[str, int], list[Sample]]
MODEL: str = InferenceSettings.model_fields["model"].default
OURS, ONE_THREAD = "openvino int8 (default)", "openvino int8 (default), 1 thread"
OURS_BF16, OURS_F32 = "openvino bf16", "openvino f32"
GRAPH, PREDICT = "tf.function", "model.predict"


def ask(size: Size, console: Console) -> Answer:
    """Run every engine at every batch size, in turns."""
    console.print("loading the engines ...")
    ways, turns = _engines(size), size.of(1, 8, 40)
    batches = BATCHES[size]
    seconds = size.of(0.0, 0.1, 0.6)
    samples: Samples = {}
    for batch in batches:
        turn = {name: partial(_turn, classify, batch, seconds) for name, classify in ways.items()}
        for name, found in alternate(turn, size.rounds, warm_up=True).items():
            samples[name, batch] = found
    peaks = {precision: Multiplication(precision) for precision in ("f32", "bf16")}
    multiplied = alternate({name: partial(peak.turn, turns) for name, peak in peaks.items()}, size.rounds, warm_up=True)
    rows = [*_targets(samples, batches), *_peaks(samples, multiplied, batches[-1]), *_speeds(samples)]
    lines = {
        name: [(batch, middle(sample.per_second for sample in samples[name, batch])) for batch in batches]
        for name in ways
    }
    plot = Series("Faces classified a second", "crops in a batch", "faces/s", lines, log_x=True, log_y=True)
    return Answer("engine", ABOUT, rows, [plot])


def _engines(size: Size) -> dict[str, Classify]:
    model = find_model(MODEL)
    largest = max(BATCHES[size])
    return {
        OURS: OpenVinoEngine(model, precision="auto", threads=0, batch=largest).classify,
        ONE_THREAD: OpenVinoEngine(model, precision="auto", threads=1, batch=largest).classify,
        OURS_BF16: OpenVinoEngine(model, precision="bf16", threads=0, batch=largest).classify,
        OURS_F32: OpenVinoEngine(model, precision="f32", threads=0, batch=largest).classify,
        "onnxruntime f32": onnxruntime_way(model, threads=0),
        **keras_ways(model),
    }


def _turn(classify: Classify, batch: int, seconds: float) -> Sample:
    """Classify batches for `seconds`, at least two."""
    pixels = probe(batch)

    def work() -> float:
        done, end = 0, time.perf_counter() + seconds
        while done < 2 or time.perf_counter() < end:
            classify(pixels)
            done += 1
        return done * batch

    return timed(work)


def _targets(samples: Samples, batches: Sequence[int]) -> Iterator[Row]:
    batch = max(batch for batch in batches if batch <= 32)
    yield _ratio(samples, (OURS, batch), (GRAPH, batch), 3.0, 5.0)
    yield _ratio(samples, (OURS, 1), (PREDICT, 1), 100.0, 150.0)


def _ratio(samples: Samples, this: tuple[str, int], that: tuple[str, int], must: float, reach: float) -> Row:
    values = [[sample.per_second for sample in samples[way]] for way in (this, that)]
    note = f"{middle(values[0]):,.0f} and {middle(values[1]):,.0f} faces/s"
    names = [f"{name} at batch {batch}" for name, batch in (this, that)]
    return Row.of(names[0], ratios(*values), "x", ratio_to=names[1], must=must, reach=reach, note=note)


def _peaks(samples: Samples, multiplied: dict[str, list[Sample]], batch: int) -> Iterator[Row]:
    each = operations_a_face(find_model(MODEL).read(".onnx"))
    for precision, name in (("f32", OURS_F32), ("bf16", OURS_BF16)):
        peak = [sample.per_second for sample in multiplied[precision]]
        yield Row.of(f"matrix product {precision}", [value / 1e9 for value in peak], "GFLOP/s")
        used = [sample.per_second * each for sample in samples[name, batch]]
        product, note = f"matrix product {precision}", f"{each / 1e6:.0f} MFLOP a face"
        yield Row.of(f"{name} at batch {batch}", ratios(used, peak), "x", ratio_to=product, note=note)


def _speeds(samples: Samples) -> Iterator[Row]:
    for (name, batch), found in samples.items():
        note = f"{middle(sample.per_cpu_second for sample in found):,.0f} faces a CPU second"
        yield Row.of(f"{name} at batch {batch}", [sample.per_second for sample in found], "faces/s", note=note)


if __name__ == "__main__":
    run_question(ask)
