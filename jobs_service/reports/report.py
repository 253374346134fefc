"""The report about a recording: one self-contained HTML page without scripts."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined

from contract import events
from contract.judgement import UNCERTAIN
from jobs_service.analysis.counts import AnalysisCounts, plural
from jobs_service.reports import colours
from jobs_service.reports.best_faces import FacePictures
from jobs_service.reports.chart import clock, draw_chart
from jobs_service.reports.model_facts import ModelFacts
from jobs_service.reports.timeline import Timeline

MAX_EPISODES = 300
"""Of the table: more are hard to read on a page, and the other files have all of them."""
MAX_NOTES = 8


@dataclass(frozen=True)
class Report:
    """The contents of the page."""

    timeline: Timeline
    counts: AnalysisCounts
    model: ModelFacts
    strongest: Sequence[events.Episode]
    """The episodes whose best faces the page shows."""
    pictures: FacePictures
    sha256: str
    """Of the recording. The page does not state when it was created, so that the same recording gives the same page."""

    def html(self) -> str:
        """The page."""
        environment = Environment(
            loader=PackageLoader("jobs_service.reports"), autoescape=True, undefined=StrictUndefined
        )
        environment.trim_blocks = environment.lstrip_blocks = True
        environment.filters |= {"percent": _percent, "clock": self._clock, "data": _data_url, "count": plural}
        environment.globals |= {"colour": colours.colour, "UNCERTAIN": UNCERTAIN, "GRAY": colours.UNCERTAIN}
        return environment.get_template("report.html.j2").render(
            timeline=self.timeline,
            counts=self.counts,
            model=self.model,
            strongest=[one for one in self.strongest if one.best_face in self.pictures],
            pictures=self.pictures,
            chart=self._chart(),
            episodes=self.timeline.episodes[:MAX_EPISODES],
            episodes_left_out=max(0, len(self.timeline.episodes) - MAX_EPISODES),
            unreadable=self.counts.unreadable[:MAX_NOTES],
            unclassified=self.counts.unclassified[:MAX_NOTES],
            sha256=self.sha256,
            version=version("emotii"),
        )

    def _chart(self) -> str:
        file = io.BytesIO()
        draw_chart(self.timeline, file, in_page=True)
        return _data_url(file.getvalue(), "image/svg+xml")

    def _clock(self, ms: float) -> str:
        return clock(ms / 1000, self.timeline.duration_ms)


def _percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f}%"


def _data_url(content: bytes, kind: str = "image/jpeg") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
