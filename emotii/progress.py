"""What a job shows while it runs."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from capture_service.job import JobProducer
from emotii.table import Table

PATIENCE_SECONDS = 10.0


class JobProgress:
    """A bar over the frames whose faces all have their outcome, the faces a second, and the time left."""

    def __init__(self, console: Console, producer: JobProducer, table: Table) -> None:
        self._producer = producer
        self._table = table
        self._started = self._moved = time.monotonic()
        self._frames = 0
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("frames, {task.fields[rate]:.0f} faces/s"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task("Analysing", total=producer.total_frames, rate=0.0)

    def update(self, frames: int) -> None:
        """Show how many frames are done, and say so when nothing moves."""
        now = time.monotonic()
        if frames != self._frames:
            self._frames, self._moved = frames, now
        stuck = now - self._moved > PATIENCE_SECONDS
        self._bar.update(
            self._task,
            completed=frames,
            total=self._producer.total_frames,
            rate=self._table.rows / max(now - self._started, 1e-3),
            description="Waiting for a worker (emotii infer starts one)" if stuck else "Analysing",
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._bar.stop()
