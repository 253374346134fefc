"""Writing the outcomes of a recording while they arrive: readings as CSV and JSON lines, then the episodes."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Self

from contract import events
from contract.atomic_file import AtomicFile, TextFile
from contract.messages import Outcome, Reading
from jobs_service.analysis.counts import AnalysisCounts
from jobs_service.outputs import episodes
from jobs_service.outputs.jsonl import JsonLines
from jobs_service.outputs.outcomes import FrameOutcome, UnclassifiedFace
from jobs_service.outputs.readings_csv import ReadingsCsv
from postprocessing.parameters import SmoothingParameters
from postprocessing.source_processor import ProcessorOutput, SourceProcessor
from postprocessing.track_processor import SmoothedReading


class AnalysisWriter:
    """Writes the frames of one recording in their order. A context manager that closes its files.

    Args:
        files: by the names of `Outputs`; it ignores those that it does not write.
        smoothing: the parameters of smoothing and episodes.
        picture_names: whether the recording is a folder, so that every row starts with the name of its picture.
        named: source and epoch of the readings and episodes, in place of those of the job, which differ in every run.

    Raises:
        SettingsError: a file cannot be written.
    """

    def __init__(
        self,
        files: Mapping[str, AtomicFile],
        smoothing: SmoothingParameters,
        *,
        picture_names: bool,
        named: tuple[str, str] | None = None,
    ) -> None:
        self.counts = AnalysisCounts()
        self.episodes: list[events.Episode] = []
        """Episodes that have ended, by their end; after `finish` all of them, by their start."""
        self._files = files
        self._named = named
        self._processor = SourceProcessor(smoothing, recorded=True)
        self._stack = ExitStack()
        self._table: ReadingsCsv | None = None
        if "readings_csv" in files:
            self._table = ReadingsCsv(self._open("readings_csv"), picture_names=picture_names)
        self._lines = JsonLines(self._open("readings_jsonl")) if "readings_jsonl" in files else None

    def write(self, frame: FrameOutcome, picture: str | None = None) -> None:
        """Write the next frame.

        Args:
            frame: with the outcomes of all its faces.
            picture: the name of the frame's file in a folder of pictures.

        Raises:
            EmotiiError: the workers use models with different labels, or the disk is full.
        """
        if self._named:
            frame = frame.renamed(*self._named)
        self.counts.add(frame)
        if self._table:
            self._table.write(frame.faces, picture)
        if self._lines and frame.done.note:
            self._lines.unreadable(frame.done, picture)
        readings = [face for face in frame.faces if isinstance(face, Reading)]
        for face in frame.faces:
            if self._lines and isinstance(face, UnclassifiedFace):
                self._lines.unclassified(face, picture)
        # The frame is as complete as it will be: smoothing must not wait for faces that could not be classified.
        outcomes: list[Outcome] = [*readings, replace(frame.done, faces=len(readings))]
        for outcome in outcomes:
            self._write_processed(self._processor.process(frame.done.captured_ms, outcome), picture)

    def finish(self) -> None:
        """Write what follows the last frame: the last readings and all episodes.

        Raises:
            SettingsError: the disk is full.
        """
        self._write_processed(self._processor.end(), None)
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

    def _write_processed(self, outputs: list[ProcessorOutput], picture: str | None) -> None:
        for output in outputs:
            if isinstance(output, SmoothedReading):
                if output.judgement is not None:
                    self.counts.emotions[output.judgement.emotion] += 1
                if self._lines:
                    self._lines.reading(_event(output), picture)
            elif output.phase == "end":
                self.episodes.append(output)

    def _open(self, name: str) -> TextFile:
        return self._stack.enter_context(TextFile(self._files[name]))


def _event(smoothed: SmoothedReading) -> events.Reading:
    answer = events.Answer.of(smoothed.probabilities, smoothed.judgement)
    return events.Reading.from_message(smoothed.reading, answer, None, None)
