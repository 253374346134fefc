"""What watches the epochs: stopping, slowing down, showing. Each of them survives a restart of the process."""

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
    """In the order in which they must act: the backup comes last, so that what it says is done has been written."""
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
    """Early stopping that remembers the epochs before a restart."""

    def __init__(self, losses: list[float], patience: int) -> None:
        super().__init__(monitor=MONITOR, patience=patience)
        self.losses = losses

    def on_train_begin(self, logs: Logs = None) -> None:
        """Go on counting where the epochs before the restart had got to."""
        super().on_train_begin(logs)
        self.best, self.wait = waiting(self.losses)


class SlowDown(keras.callbacks.ReduceLROnPlateau):  # type: ignore[misc]
    """A learning rate that falls on a plateau, and remembers the epochs before a restart."""

    def __init__(self, losses: list[float], patience: int, factor: float) -> None:
        super().__init__(monitor=MONITOR, patience=patience, factor=factor)
        self.losses = losses

    def on_train_begin(self, logs: Logs = None) -> None:
        """Go on counting where the epochs before the restart had got to; the rate itself is in the backup."""
        super().on_train_begin(logs)
        self.best, self.wait = waiting(self.losses, self.min_delta, start_again=self.patience)


class KeepBest(keras.callbacks.Callback):  # type: ignore[misc]
    """The weights of the epoch with the lowest loss on the watched faces, in a file that is always whole.

    With `average` they are the averaged weights, which are the ones that were watched.
    """

    def __init__(self, losses: list[float], path: Path, average: keras.callbacks.SwapEMAWeights | None = None) -> None:
        super().__init__()
        self.path = path
        self.average = average
        self.best = min(losses, default=math.inf)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write beside it and rename: a kill while writing costs the new weights, not the old ones too."""
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
    """A line for each epoch, and under them a bar with the time that is left at most: stopping early shortens it.

    Where the console is no terminal there is no bar, and the time left stands in the lines.
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
        """The number of batches is known from here on."""
        steps = self.params["steps"]
        self.bar.update(self.task, total=self.epochs * steps, completed=self.done * steps)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Take the time."""
        self.began = time.monotonic()
        self.bar.update(self.task, epoch=epoch + 1)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Move the bar."""
        self.bar.advance(self.task)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Print the line, and add the seconds to what the history keeps."""
        logs = {} if logs is None else logs
        logs["seconds"] = time.monotonic() - self.began
        left = (self.epochs - epoch - 1) * logs["seconds"] / 60
        self.bar.console.print(
            f"epoch {epoch + 1:2}  loss {logs['loss']:.3f}, accuracy {logs['accuracy']:.1%}; "
            f"watched: loss {logs['val_loss']:.3f}, accuracy {logs['val_accuracy']:.1%}; "
            f"{logs['seconds']:.0f} s, at most {left:.0f} min left",
            soft_wrap=True,
            highlight=False,
        )
