"""Callbacks of the epochs: early stopping, learning rate, progress. Each continues after a restart of the process."""

import math
import time
from importlib.util import find_spec
from pathlib import Path

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from training.fitting.run import MONITOR, Run, waiting
from training.recipe import Recipe

Logs = dict[str, float] | None


def callbacks(recipe: Recipe, run: Run, show: "Show") -> list[keras.callbacks.Callback]:
    """In their order of execution: the backup comes last, after everything of the epoch has been written."""
    losses = run.losses()
    steering: list[keras.callbacks.Callback] = []
    if recipe.schedule == "plateau":
        steering = [SlowDown(losses, recipe.slow_patience, recipe.slow_factor), Stop(losses, recipe.stop_patience)]
    average = keras.callbacks.SwapEMAWeights() if recipe.averaging else None
    return [
        *steering,
        *([average] if average else []),
        show,
        KeepBest(losses, run.best_weights, average),
        keras.callbacks.LambdaCallback(on_epoch_end=run.add),
        *([keras.callbacks.TensorBoard(str(run.logs), write_graph=False)] if find_spec("tensorboard") else []),
        keras.callbacks.BackupAndRestore(str(run.backup), double_checkpoint=True, delete_checkpoint=False),
    ]


class Stop(keras.callbacks.EarlyStopping):  # type: ignore[misc]  # Keras has no types
    """Early stopping that takes the epochs before a restart into account."""

    def __init__(self, losses: list[float], patience: int) -> None:
        super().__init__(monitor=MONITOR, patience=patience)
        self.losses = losses

    def on_train_begin(self, logs: Logs = None) -> None:
        """Continue the count of the epochs before the restart."""
        super().on_train_begin(logs)
        self.best, self.wait = waiting(self.losses)


class SlowDown(keras.callbacks.ReduceLROnPlateau):  # type: ignore[misc]
    """A learning rate that falls on a plateau, taking the epochs before a restart into account."""

    def __init__(self, losses: list[float], patience: int, factor: float) -> None:
        super().__init__(monitor=MONITOR, patience=patience, factor=factor)
        self.losses = losses

    def on_train_begin(self, logs: Logs = None) -> None:
        """Continue the count of the epochs before the restart; the rate itself is in the backup."""
        super().on_train_begin(logs)
        self.best, self.wait = waiting(self.losses, self.min_delta, start_again=self.patience)


class KeepBest(keras.callbacks.Callback):  # type: ignore[misc]
    """The weights of the epoch with the lowest validation loss, in a file that is always complete.

    With `average` they are the averaged weights, of which the validation loss was measured.
    """

    def __init__(self, losses: list[float], path: Path, average: keras.callbacks.SwapEMAWeights | None = None) -> None:
        super().__init__()
        self.path = path
        self.average = average
        self.best = min(losses, default=math.inf)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write to a second file and rename it, so that a kill while writing loses only the new weights."""
        loss = (logs or {})[MONITOR]
        if loss < self.best:
            self.best = loss
            written = self.path.with_name(f"new.{self.path.name}")
            if self.average is not None:
                self.average.on_test_begin()
            self.model.save_weights(written)
            if self.average is not None:
                self.average.on_test_end()
            written.replace(self.path)


class Show(keras.callbacks.Callback):  # type: ignore[misc]
    """A line per epoch, and a progress bar with the maximum time left, which early stopping may shorten.

    Without a terminal there is no bar; the lines contain the time left.
    """

    def __init__(self, epochs: int, done: int, console: Console) -> None:
        super().__init__()
        self.epochs = epochs
        self.done = done
        self.began = time.monotonic()
        words = TextColumn("epoch {task.fields[epoch]} of {task.fields[epochs]} at most")
        columns = (words, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(elapsed_when_finished=True))
        self.bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.task = self.bar.add_task("", epoch=done + 1, epochs=epochs)

    def on_train_begin(self, logs: Logs = None) -> None:
        """The number of batches is known from this point on."""
        steps = self.params["steps"]
        self.bar.update(self.task, total=self.epochs * steps, completed=self.done * steps)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Start the timer."""
        self.began = time.monotonic()
        self.bar.update(self.task, epoch=epoch + 1)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Advance the bar."""
        self.bar.advance(self.task)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Print the line, and add the seconds to the history."""
        logs = {} if logs is None else logs
        logs["seconds"] = time.monotonic() - self.began
        left = (self.epochs - epoch - 1) * logs["seconds"] / 60
        self.bar.console.print(
            f"epoch {epoch + 1:2}  loss {logs['loss']:.3f}, accuracy {logs['accuracy']:.1%}; "
            f"validation: loss {logs['val_loss']:.3f}, accuracy {logs['val_accuracy']:.1%}; "
            f"{logs['seconds']:.0f} s, at most {left:.0f} min left",
            soft_wrap=True,
            highlight=False,
        )
