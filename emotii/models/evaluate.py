"""`emotii evaluate`: measures a model on labelled faces, with the engines that serve it."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from contract.atomic_file import check_outputs, writable
from contract.model.folder import INT8_XML, ModelCard
from contract.service.settings import load
from inference_service.engines import Engine
from inference_service.engines import load as load_engine
from inference_service.settings import InferenceSettings
from training.datasets.left_out import summary
from training.evaluation.evaluate import Classify, evaluate, passes
from training.evaluation.faces import Half, read_known
from training.evaluation.figures import draw_reliability
from training.evaluation.report import Report
from training.export.figures import draw_confusion

BATCH = 128


def evaluate_model(
    model: str | None,
    data: Path,
    engine: str | None,
    *,
    half: Half | None,
    only: Sequence[str] | None,
    agreement: bool,
    console: Console,
) -> Report:
    """Measure a model with one engine, and compare the other engines with it.

    Args:
        model: a name or a folder; by default the one of EMOTII_MODEL.
        data: an `.npz` file with votes or a folder of class folders.
        engine: as in EMOTII_ENGINE, which is the default.
        half: of a validation set; None uses all of it.
        only: use only faces with these emotions.
        agreement: whether to compare the other engines.
        console: for the progress bar, and for what is left out.

    Raises:
        ModelError, SettingsError, DatasetError: the model, the engine or the faces cannot be loaded.
    """
    measured = _engine(model, engine, None)
    faces = read_known(data, measured.card.labels, only, half)
    for line in summary(faces.left_out):
        console.out(line)
    others = _others(model, measured.card) if agreement else {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("faces", total=passes(others) * len(faces))

        def counted(one: Engine) -> Classify:
            return _in_batches(one, lambda count: progress.advance(task, count))

        return evaluate(
            measured.card,
            measured.name,
            measured.precision,
            counted(measured),
            faces,
            data.resolve().name + (f", half {half.upper()}" if half else ""),
            {name: counted(one) for name, one in others.items()},
        )


def figure_files(folder: Path, data: Path) -> list[Path]:
    """The files of the confusion matrix and the reliability diagram.

    Raises:
        SettingsError: they are inputs, or would be faces of `data` from then on.
    """
    files = [folder / "confusion.png", folder / "reliability.png"]
    classes = [data, *(below for below in data.iterdir() if below.is_dir())] if data.is_dir() else []
    check_outputs(files, [data], classes)
    return files


def write_figures(report: Report, confusion: Path, diagram: Path) -> None:
    """The confusion matrix and the reliability diagram as PNG files.

    Raises:
        SettingsError: they cannot be written.
    """
    with writable(confusion):
        confusion.parent.mkdir(parents=True, exist_ok=True)
        draw_confusion(report.scores, confusion)
    with writable(diagram):
        draw_reliability(report.reliability, diagram)


def _others(model: str | None, card: ModelCard) -> dict[str, Engine]:
    """The engines that can run the model here. The first is the reference: TensorFlow, or OpenVINO in 32-bit floats."""
    chosen = [("openvino", "f32"), ("openvino", "bf16")]
    if card.has(INT8_XML):
        chosen.append(("openvino", "int8"))
    if find_spec("tensorflow") and card.has(".keras"):
        chosen.insert(0, ("tensorflow", "f32"))
    return {f"{engine} {precision}": _engine(model, engine, precision) for engine, precision in chosen}


def _engine(model: str | None, engine: str | None, precision: str | None) -> Engine:
    settings = load(InferenceSettings, model=model, engine=engine, precision=precision, batch=BATCH, threads=0)
    return load_engine(settings)


def _in_batches(engine: Engine, done: Callable[[int], None]) -> Classify:
    def classify(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = []
        for start in range(0, len(images), BATCH):
            found.append(engine.classify(images[start : start + BATCH]))
            done(len(found[-1]))
        return np.concatenate(found)

    return classify
