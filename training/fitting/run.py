"""The run folder: everything that a training run needs to resume after it was killed."""

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from contract.csv_writer import CsvWriter
from contract.errors import reason_of
from training.datasets.faces import DatasetError, Faces
from training.datasets.left_out import LeftOut
from training.recipe import Recipe

MONITOR = "val_loss"
"""The loss on the held-out faces decides which epoch is the best."""


class Run:
    """The history, best weights and last state of one training run, all written in every epoch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.backup = folder / "backup"
        self.best_weights = folder / "best.weights.h5"
        self.history_file = folder / "history.csv"
        self.split_file = folder / "split.csv"
        self.left_out_file = folder / "left-out.csv"
        self.logs = folder / "logs"
        """For TensorBoard."""

    @classmethod
    def open(cls, folder: Path, recipe: Recipe, faces: Faces, start: str | None = None) -> Self:
        """Start a run in `folder`, or resume the run there.

        Raises:
            DatasetError: the run there has another recipe, other faces, or another start model, or is damaged.
        """
        run = cls(folder)
        try:
            run._begin(recipe, faces, start)
        except (KeyError, OSError, TypeError, ValueError) as error:
            raise DatasetError(
                f"the run in {folder} cannot be continued ({reason_of(error)}): remove it or name another folder"
            ) from error
        return run

    def _begin(self, recipe: Recipe, faces: Faces, start: str | None) -> None:
        folder = self.folder
        folder.mkdir(parents=True, exist_ok=True)
        about = json.dumps({"recipe": recipe.as_dict(), "from": start, "faces": _fingerprint(faces)}, indent=2)
        label = folder / "run.json"
        if not label.exists():
            label.write_text(about)
        elif label.read_text() != about:
            raise DatasetError(
                f"the run in {folder} had another recipe or other faces or began with another model: "
                "remove it or name another folder"
            )
        self._drop_unfinished_epoch()

    def history(self) -> list[dict[str, float]]:
        """One entry per epoch: epoch (from 0), loss, accuracy, val_loss, val_accuracy, learning_rate, seconds."""
        if not self.history_file.exists():
            return []
        with self.history_file.open(newline="") as file:
            return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]

    def add(self, epoch: int, measured: dict[str, float]) -> None:
        """Append an epoch to the history; the file is complete and closed when this returns."""
        row = {"epoch": epoch, **dict(sorted(measured.items()))}
        begins = not self.history_file.exists()
        with self.history_file.open("a", newline="") as file:
            rows = CsvWriter(file, "\n")
            if begins:
                rows.writerow(row)
            rows.writerow(row.values())

    def write_split(self, parts: Mapping[str, Faces]) -> None:
        """Write the part of each face, by the SHA-256 of its 48 x 48 pixels."""
        with self.split_file.open("w", newline="") as file:
            rows = CsvWriter(file, "\n")
            rows.writerow(("sha256", "part", "emotion"))
            for part, faces in parts.items():
                for image, label in zip(faces.images, faces.labels, strict=True):
                    rows.writerow((hashlib.sha256(image.tobytes()).hexdigest(), part, faces.emotions[label]))

    def write_left_out(self, left_out: Iterable[LeftOut]) -> None:
        """Write everything that the datasets hold and the run does not use, with the reasons."""
        with self.left_out_file.open("w", newline="", encoding="utf-8") as file:
            rows = CsvWriter(file, line_end="\n")
            rows.writerow(("what", "faces", "reason"))
            rows.writerows((one.what, one.faces, one.reason) for one in left_out)

    def losses(self) -> list[float]:
        """The loss on the held-out faces, one per epoch."""
        return [epoch[MONITOR] for epoch in self.history()]

    def _drop_unfinished_epoch(self) -> None:
        """The history is written before the backup: after a kill between them, its last epoch runs again."""
        saved = self.backup / "training_metadata.json"
        done = int(json.loads(saved.read_text())["epoch"]) if saved.exists() else 0
        history = self.history()
        if len(history) <= done:
            return
        lines = self.history_file.read_text().splitlines(keepends=True)
        if done:
            self.history_file.write_text("".join(lines[: done + 1]))
        else:
            self.history_file.unlink()


def waiting(
    losses: Sequence[float], min_delta: float = 0.0, start_again: int | None = None
) -> tuple[float | None, int]:
    """The best loss so far, and how many epochs have passed without one lower by `min_delta`.

    Keras keeps these two in its callbacks, in memory only. With `start_again` the count returns to zero whenever it
    reaches that value, as it does when the learning rate is lowered.
    """
    best: float | None = None
    wait = 0
    for loss in losses:
        if best is None or loss < best - min_delta:
            best, wait = loss, 0
        else:
            wait += 1
            if wait == start_again:
                wait = 0
    return best, wait


def _fingerprint(faces: Faces) -> str:
    return hashlib.sha256(faces.images.tobytes() + faces.labels.tobytes()).hexdigest()
