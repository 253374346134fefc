"""From the lines of an analysis to what people look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from capture_service.settings import CaptureSettings
from capture_service.sources.spec import SourceSpec
from contract.atomic_file import AtomicFile, writable
from jobs_service.analysis.writer import AnalysisWriter
from jobs_service.outputs.jsonl import read_lines
from jobs_service.reports.annotated import draw_video
from jobs_service.reports.best_faces import choose, cut_out
from jobs_service.reports.chart import draw_chart
from jobs_service.reports.frames import Look
from jobs_service.reports.model_facts import model_facts
from jobs_service.reports.report import Report
from jobs_service.reports.timeline import Timeline, draw_up

NEED_LINES = {"timeline_json", "timeline_png", "annotated_webm", "report_html"}
"""Outputs that are drawn from the lines."""


@dataclass(frozen=True)
class Drawing:
    """What is drawn of a recording whose readings stand in `lines`."""

    spec: SourceSpec
    settings: CaptureSettings
    record: AnalysisWriter
    lines: Path
    model: str
    """The model of the settings: a name or a folder."""

    def draw(self, files: Mapping[str, AtomicFile], look: Look) -> None:
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
            self._write(file, self._report(timeline, look).html().encode())
        if file := files.get("annotated_webm"):
            mean_fps = 1000 * timeline.frames / max(timeline.duration_ms, 1)
            draw_video(file.partial, self.spec, self.settings, read_lines(self.lines), mean_fps, look)

    def _timeline(self) -> Timeline:
        tally = self.record.tally
        name = Path(self.spec.safe).name
        return draw_up(name, read_lines(self.lines), self.record.episodes, tally.frames, tally.last_ms)

    def _report(self, timeline: Timeline, look: Look) -> Report:
        shown = choose(timeline.episodes)
        faces = [*(one.best_face for one in shown), *(track.best_face for track in timeline.tracks)]
        cut = cut_out(faces, self.spec, self.settings, look)
        facts = model_facts(timeline.model, timeline.labels, self.model)
        return Report(timeline, self.record.tally, facts, shown, cut, datetime.now(UTC))

    @staticmethod
    def _write(file: AtomicFile, content: bytes) -> None:
        with writable(file.path):
            file.partial.write_bytes(content)
