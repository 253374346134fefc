"""What is written down of a recording while its outcomes come: the table, the lines and the episodes."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Self

from contract import events
from contract.atomic_file import AtomicFile, TextFile
from contract.messages import Outcome, Reading
from jobs_service.analysis.tally import AnalysisCounts
from jobs_service.outputs import episodes
from jobs_service.outputs.jsonl import JsonLines
from jobs_service.outputs.outcomes import Buried, FrameOutcome
from jobs_service.outputs.readings_csv import ReadingsCsv
from postprocessing.parameters import SmoothingParameters
from postprocessing.source_processor import ProcessorOutput, SourceProcessor
from postprocessing.track_processor import SmoothedReading


class AnalysisWriter:
    """Takes the frames of one recording in their order. A context manager that closes its files.

    Args:
        files: by the names of `Outputs`; of those that it does not write it takes no notice.
        steadiness: how steady the results are made.
        named: whether the recording is a folder, whose pictures are named in every row.

    Raises:
        SettingsError: a file cannot be written.
    """

    def __init__(self, files: Mapping[str, AtomicFile], steadiness: SmoothingParameters, *, named: bool) -> None:
        self.tally = AnalysisCounts()
        self.stated_frames: int | None = None
        """So many frames the recording says that it holds; None if it does not say."""
        self.episodes: list[events.Episode] = []
        """Those that are over, in the order of their ends; after `finish` in that of their beginnings, and all."""
        self._files = files
        self._steady = SourceProcessor(steadiness, recorded=True)
        self._stack = ExitStack()
        self._table = ReadingsCsv(self._open("readings_csv"), named=named) if "readings_csv" in files else None
        self._lines = JsonLines(self._open("readings_jsonl")) if "readings_jsonl" in files else None

    def write(self, frame: FrameOutcome, picture: str | None = None) -> None:
        """Take the next frame, which is this picture of a folder.

        Raises:
            EmotiiError: models with other labels take part, or the disk is full.
        """
        self.tally.add(frame)
        if self._table:
            self._table.write(frame.faces, picture)
        if self._lines and frame.done.note:
            self._lines.unreadable(frame.done, picture)
        readings = [face for face in frame.faces if isinstance(face, Reading)]
        for buried in frame.faces:
            if self._lines and isinstance(buried, Buried):
                self._lines.buried(buried, picture)
        # Complete as far as it ever will be: nothing waits for a face that was buried.
        outcomes: list[Outcome] = [*readings, replace(frame.done, faces=len(readings))]
        for outcome in outcomes:
            self._tell(self._steady.process(frame.done.captured_ms, outcome), picture)

    def finish(self) -> None:
        """The recording is at its end.

        Raises:
            SettingsError: the disk is full.
        """
        self._tell(self._steady.end(), None)
        self.episodes.sort(key=lambda episode: (episode.start_ms, episode.track))
        if self._table:
            self._table.finish()
        if "episodes_csv" in self._files:
            episodes.write_csv(self.episodes, self._open("episodes_csv"))
        if "episodes_jsonl" in self._files:
            episodes.write_lines(self.episodes, self._open("episodes_jsonl"))
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._stack.__exit__(kind, error, None)

    def _tell(self, told: list[ProcessorOutput], picture: str | None) -> None:
        for one in told:
            if isinstance(one, SmoothedReading):
                if self._lines:
                    self._lines.reading(_event(one), picture)
            elif one.phase == "end":
                self.episodes.append(one)

    def _open(self, name: str) -> TextFile:
        return self._stack.enter_context(TextFile(self._files[name]))


def _event(steady: SmoothedReading) -> events.Reading:
    answer = events.Answer.of(steady.probabilities, steady.judgement)
    return events.Reading.from_message(steady.reading, answer, None, None)
