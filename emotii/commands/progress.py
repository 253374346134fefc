"""What an analysis shows while it runs."""

import time
from types import TracebackType
from typing import Self

from jobs_service.analysis.stall_detector import WAITING, StallDetector
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from jobs_service.analysis.pipeline import Progress


class ProgressBar:
    """A bar over the frames that are done, the faces a second, and the time left."""

    def __init__(self, console: Console) -> None:
        self._started = time.monotonic()
        self._patience = StallDetector()
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("frames{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._reading = self._bar.add_task("Analysing", total=None, rate="")
        self._drawing = self._bar.add_task("Drawing", total=None, rate="", visible=False)

    def update(self, progress: Progress) -> None:
        """Show how much is done, and say so when nothing moves."""
        if progress.drawing:
            self._bar.update(self._drawing, completed=progress.frames, total=progress.total, visible=True)
            return
        stuck = self._patience.is_over(progress)
        rate = progress.faces / max(time.monotonic() - self._started, 1e-3)
        self._bar.update(
            self._reading,
            completed=progress.frames,
            total=progress.total,
            rate=f", {rate:.0f} faces/s",
            description=WAITING.capitalize() if stuck else "Analysing",
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._bar.stop()
