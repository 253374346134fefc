"""Drawing chart, video and report from the JSON lines of an analysis."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from contract.atomic_file import AtomicFile, writable
from jobs_service.analysis.writer import AnalysisWriter
from jobs_service.outputs.jsonl import read_lines
from jobs_service.outputs.manifest import RecordingIdentity
from jobs_service.reports.annotated import draw_video
from jobs_service.reports.best_faces import cut_faces, strongest_episodes
from jobs_service.reports.chart import draw_chart
from jobs_service.reports.frames import FrameCallback
from jobs_service.reports.model_facts import model_facts
from jobs_service.reports.report import Report
from jobs_service.reports.timeline import Timeline, build_timeline

NEED_LINES = {"timeline_json", "timeline_png", "annotated_webm", "report_html"}
"""Outputs that are drawn from the JSON lines."""


@dataclass(frozen=True)
class Drawing:
    """The drawn outputs of one analysis."""

    spec: SourceSpec
    settings: CaptureSettings
    writer: AnalysisWriter
    lines: Path
    """The file with the readings."""
    model: str
    """The configured model: a name or a folder."""
    identity: RecordingIdentity
    """Of the recording."""

    def draw(self, files: Mapping[str, AtomicFile], on_frame: FrameCallback) -> None:
        """Write those of `files` that are drawn.

        Raises:
            EmotiiError: the recording or the lines cannot be read any more, or the disk is full.
        """
        if not NEED_LINES & files.keys():
            return
        timeline = self._timeline()
        if file := files.get("timeline_json"):
            self._write(file, timeline.model_dump_json().encode())
        if file := files.get("timeline_png"):
            with writable(file.path), file.partial.open("wb") as chart:
                draw_chart(timeline, chart)
        if file := files.get("report_html"):
            self._write(file, self._report(timeline, on_frame).html().encode())
        if file := files.get("annotated_webm"):
            mean_fps = 1000 * timeline.frames / max(timeline.duration_ms, 1)
            draw_video(file.partial, self.spec, self.settings, read_lines(self.lines), mean_fps, on_frame)

    def _timeline(self) -> Timeline:
        counts = self.writer.counts
        return build_timeline(
            self.identity.name, read_lines(self.lines), self.writer.episodes, counts.frames, counts.last_ms
        )

    def _report(self, timeline: Timeline, on_frame: FrameCallback) -> Report:
        strongest = strongest_episodes(timeline.episodes)
        faces = [*(one.best_face for one in strongest), *(track.best_face for track in timeline.tracks)]
        pictures = cut_faces(faces, self.spec, self.settings, on_frame)
        facts = model_facts(timeline.model, timeline.labels, self.model)
        return Report(timeline, self.writer.counts, facts, strongest, pictures, self.identity.sha256)

    @staticmethod
    def _write(file: AtomicFile, content: bytes) -> None:
        with writable(file.path):
            file.partial.write_bytes(content)
