"""The analysis of one recording: from its first frame to the last file of the results."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from contract.atomic_file import AtomicFile, writable
from contract.errors import JobStopped
from contract.redis.broker import Clients
from jobs_service.analysis.pipeline import STOPPED, AnalysisPipeline
from jobs_service.analysis.progress import Progress, ProgressCallback
from jobs_service.analysis.writer import AnalysisWriter
from jobs_service.outputs.manifest import RecordingIdentity, manifest
from jobs_service.outputs.outputs import MANIFEST_NAME
from jobs_service.reports.drawing import NEED_LINES, Drawing
from postprocessing.parameters import SmoothingParameters


@dataclass(frozen=True)
class RecordingAnalysis:
    """Analyses one recording, for `emotii analyze`, `emotii report` and the jobs service."""

    clients: Clients
    spec: SourceSpec
    settings: CaptureSettings
    model: str
    """The configured model, a name or a folder; the report quotes its card if the workers use this model."""
    folder: Path
    """For temporary files."""
    source: str = ""
    """The name of the job in Redis; empty for a new one."""
    on_step: Callable[[], None] = lambda: None
    """Called after every frame that is read or drawn, and again and again while the analysis waits."""

    def run(self, files: Mapping[str, AtomicFile], stop: Event, on_progress: ProgressCallback) -> AnalysisWriter:
        """Analyse the recording and write `files`, which have the names of `Outputs`.

        Returns:
            The writer, with the counts and the episodes.

        Raises:
            JobStopped: `stop` was set before the end.
            EmotiiError: the recording cannot be read, or a file cannot be written.
        """
        lines = files.get("readings_jsonl")
        written = dict(files)
        if lines is None and NEED_LINES & files.keys():
            lines = written["readings_jsonl"] = AtomicFile(self.folder / "readings.jsonl")
        # Smoothing is no setting here, so that an analysis can be repeated with the same results.
        smoothing = SmoothingParameters()
        identity = RecordingIdentity.of(self.spec, self.on_step)
        named = identity.name, identity.epoch
        writer = AnalysisWriter(written, smoothing, picture_names=self.spec.kind == "pictures", named=named)
        with (
            writer,
            closing(self._pipeline()) as pipeline,
        ):
            pipeline.run(writer, stop, on_progress)
        if lines is not None:
            drawing = Drawing(self.spec, self.settings, writer, lines.partial, self.model, identity)

            def on_frame(frames: int) -> None:
                if stop.is_set():
                    raise JobStopped(STOPPED)
                self.on_step()
                on_progress(Progress(frames, writer.counts.frames, writer.counts.faces, drawing=True))

            drawing.draw(files, on_frame)
        about = manifest(identity, self.spec, self.settings, smoothing, writer.counts, self.clients)
        for file in (file for name, file in files.items() if name.endswith(MANIFEST_NAME)):
            with writable(file.path):
                file.partial.write_bytes(about)
        return writer

    def _pipeline(self) -> AnalysisPipeline:
        sent_entries = self.folder / "sent"
        return AnalysisPipeline(self.clients, self.spec, self.settings, sent_entries, self.source, self.on_step)
