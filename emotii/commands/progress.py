"""The progress bar of an analysis."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from jobs_service.analysis.progress import Progress, StallDetector


class ProgressBar:
    """Shows the completed frames, the faces per second, and the remaining time."""

    def __init__(self, console: Console) -> None:
        self._started = time.monotonic()
        self._stall_detector = StallDetector()
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("frames{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._analysing = self._bar.add_task("Analysing", total=None, rate="")
        self._drawing = self._bar.add_task("Drawing", total=None, rate="", visible=False)

    def update(self, progress: Progress) -> None:
        """Show the progress, or what a stalled analysis waits for."""
        if progress.drawing:
            self._bar.update(self._drawing, completed=progress.frames, total=progress.total, visible=True)
            return
        stalled = self._stall_detector.reason(progress)
        rate = progress.faces / max(time.monotonic() - self._started, 1e-3)
        self._bar.update(
            self._analysing,
            completed=progress.frames,
            total=progress.total,
            rate=f", {rate:.0f} faces/s",
            description=stalled[:1].upper() + stalled[1:] if stalled else "Analysing",
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._bar.stop()
