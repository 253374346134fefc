import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from contract.model.labels import EMOTIONS_5
from tests.lazy import LazyModule
from training.datasets.dataset import DatasetError, Faces
from training.datasets.left_out import LeftOut
from training.fitting.run import Run, waiting
from training.recipe import SEED

callback_module = LazyModule("training.fitting.callbacks")
PLATEAUS = [1.0, 0.8, 0.9, 0.85, 0.7, 0.71, 0.72, 0.73, 0.69995, 0.9, 0.6, 0.61, 0.62, 0.63, 0.64, 0.65, 0.66]


@pytest.fixture
def faces() -> Faces:
    return Faces(np.zeros((5, 48, 48), np.uint8), np.arange(5), EMOTIONS_5)


def write_history(run: Run, losses: list[float]) -> None:
    lines = ["epoch,val_loss\n", *(f"{epoch},{loss}\n" for epoch, loss in enumerate(losses))]
    run.history_file.write_text("".join(lines))


def write_backup(run: Run, epochs: int) -> None:
    run.backup.mkdir(exist_ok=True)
    (run.backup / "training_metadata.json").write_text(json.dumps({"epoch": epochs, "batch": 0}))


def watched(losses: list[float], before: list[float], rate: float) -> tuple[list[float], int | None]:
    """The learning rates after each of `losses`, and the epoch that stops, with the epochs `before` seen by others."""
    model = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=rate), stop_training=False, metrics=[])
    callbacks = [callback_module.SlowDown(before, patience=3, factor=0.1), callback_module.Stop(before, patience=5)]
    for callback in callbacks:
        callback.set_model(model)
        callback.on_train_begin()
    rates: list[float] = []
    for epoch, loss in enumerate(losses, len(before)):
        for callback in callbacks:
            callback.on_epoch_end(epoch, {"val_loss": loss})
        rates.append(model.optimizer.learning_rate)
        if model.stop_training:
            return rates, epoch
    return rates, None


@pytest.mark.parametrize("killed_after", range(1, 15))
def test_a_restart_changes_neither_when_the_rate_falls_nor_when_training_stops(killed_after):
    rates, stopped = watched(PLATEAUS, [], rate=0.001)
    assert stopped == 15
    assert len(set(rates)) == 3

    rates_after, stopped_after = watched(PLATEAUS[killed_after:], PLATEAUS[:killed_after], rates[killed_after - 1])

    assert stopped_after == stopped
    assert rates_after == pytest.approx(rates[killed_after:])


def test_there_is_no_wait_before_the_first_epoch():
    assert waiting([]) == (None, 0)


def test_waiting_counts_the_epochs_since_the_best():
    assert waiting([1.0, 0.5, 0.6, 0.5]) == (0.5, 2)


def test_a_run_resumes_only_with_the_same_recipe_and_faces(tmp_path, faces):
    Run.open(tmp_path, SEED, faces)
    Run.open(tmp_path, SEED, faces)

    with pytest.raises(DatasetError, match="another recipe or other faces"):
        Run.open(tmp_path, replace(SEED, epochs=3), faces)
    with pytest.raises(DatasetError, match="another recipe or other faces"):
        Run.open(tmp_path, SEED, replace(faces, images=faces.images + np.uint8(1)))


def test_epochs_added_to_the_history_are_read_back(tmp_path, faces):
    run = Run.open(tmp_path, SEED, faces)

    run.add(0, {"val_loss": 0.5, "loss": 0.25})
    run.add(1, {"val_loss": 1 / 3, "loss": 0.125})

    assert Run(tmp_path).history() == [
        {"epoch": 0, "loss": 0.25, "val_loss": 0.5},
        {"epoch": 1, "loss": 0.125, "val_loss": 1 / 3},
    ]


@pytest.mark.parametrize(("saved", "left"), [(0, []), (1, [0.9]), (3, [0.9, 0.8, 0.7])])
def test_an_epoch_that_the_backup_does_not_have_is_dropped_from_the_history(tmp_path: Path, faces, saved, left):
    run = Run.open(tmp_path, SEED, faces)
    write_history(run, [0.9, 0.8, 0.7])
    write_backup(run, saved)

    assert Run.open(tmp_path, SEED, faces).losses() == left


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("run.json", b"\xff"),
        ("history.csv", b"epoch,val_loss\n0,none\n"),
        ("history.csv", b"\xff\xfe"),
        ("backup/training_metadata.json", b"{"),
        ("backup/training_metadata.json", b"{}"),
        ("backup/training_metadata.json", b"[]"),
    ],
)
def test_a_damaged_run_is_refused_in_one_line(tmp_path, faces, file, content):
    run = Run.open(tmp_path / "run", SEED, faces)
    write_history(run, [1.0, 0.9])
    write_backup(run, 2)
    (run.folder / file).write_bytes(content)

    with pytest.raises(DatasetError, match=r"the run in .* cannot be continued .*: remove it or name another folder"):
        Run.open(tmp_path / "run", SEED, faces)


def test_a_run_lists_all_that_it_leaves_out(tmp_path, faces):
    run = Run.open(tmp_path / "run", SEED, faces)
    run.write_left_out([LeftOut("Sad/=1+1.heic", "why"), LeftOut("=1", "so"), LeftOut("neutral", "so", 12)])

    lines = run.left_out_file.read_text().splitlines()
    assert lines == ["what,faces,reason", "Sad/=1+1.heic,,why", "'=1,,so", "neutral,12,so"]
