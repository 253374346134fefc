"""A recording from its first frame to the last file of what came of it."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from capture_service.jobs.producer import JobStopped
from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from contract.atomic_file import AtomicFile
from contract.redis.broker import Clients
from jobs_service.analysis.pipeline import STOPPED, AnalysisPipeline, Look, Progress
from jobs_service.analysis.writer import AnalysisWriter
from jobs_service.reports.drawing import NEED_LINES, Drawing
from postprocessing.parameters import SmoothingParameters


@dataclass(frozen=True)
class RecordingAnalysis:
    """What `emotii analyze`, `emotii report` and the jobs service do with one recording."""

    clients: Clients
    spec: SourceSpec
    settings: CaptureSettings
    model: str
    """The model of the settings, whose card may say more of the one that took part: a name or a folder."""
    folder: Path
    """For what is needed only meanwhile."""

    def write(self, files: Mapping[str, AtomicFile], stop: Event, look: Look) -> AnalysisWriter:
        """Read the recording and write `files`, which are named as in `Outputs`; what was counted on the way.

        Raises:
            JobStopped: `stop` was set before the end.
            EmotiiError: the recording cannot be read, or a file not be written.
        """
        lines = files.get("readings_jsonl")
        recorded = dict(files)
        if lines is None and NEED_LINES & files.keys():
            lines = recorded["readings_jsonl"] = AtomicFile(self.folder / "readings.jsonl")
        # How steady results are is no setting here, so that an analysis can be repeated.
        record = AnalysisWriter(recorded, SmoothingParameters(), named=self.spec.kind == "pictures")
        with (
            record,
            closing(AnalysisPipeline(self.clients, self.spec, self.settings, self.folder / "sent")) as analysis,
        ):
            analysis.run(record, stop, look)
        if lines is not None:
            drawing = Drawing(self.spec, self.settings, record, lines.partial, self.model)
            drawing.draw(files, lambda frames: _drawn(frames, record, stop, look))
        return record


def _drawn(frames: int, record: AnalysisWriter, stop: Event, look: Look) -> None:
    if stop.is_set():
        raise JobStopped(STOPPED)
    look(Progress(frames, record.tally.frames, record.tally.faces, drawing=True))
