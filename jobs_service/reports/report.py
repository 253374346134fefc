"""The report of a recording: one HTML page that holds everything it shows, and runs no script."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined

from contract import events
from contract.judgement import UNCERTAIN
from jobs_service.analysis.tally import AnalysisCounts
from jobs_service.reports import paint
from jobs_service.reports.best_faces import Cut
from jobs_service.reports.chart import clock, draw_chart
from jobs_service.reports.model_facts import ModelFacts
from jobs_service.reports.timeline import Timeline

MOST_EPISODES = 300
"""In the table; a page with more is hard to read, and the files have them all."""
MOST_NOTES = 8


@dataclass(frozen=True)
class Report:
    """What the page is made of."""

    timeline: Timeline
    tally: AnalysisCounts
    model: ModelFacts
    shown: Sequence[events.Episode]
    """The episodes whose best faces are shown."""
    cut: Cut
    """The pictures of faces."""
    made: datetime

    def html(self) -> str:
        """The page."""
        environment = Environment(
            loader=PackageLoader("jobs_service.reports"), autoescape=True, undefined=StrictUndefined
        )
        environment.trim_blocks = environment.lstrip_blocks = True
        environment.filters |= {"percent": _percent, "clock": self._clock, "data": _data_url, "count": _count}
        environment.globals |= {"colour": paint.colour, "UNCERTAIN": UNCERTAIN, "GRAY": paint.UNCERTAIN}
        return environment.get_template("report.html.j2").render(
            timeline=self.timeline,
            tally=self.tally,
            model=self.model,
            shown=[one for one in self.shown if one.best_face in self.cut],
            cut=self.cut,
            chart=self._chart(),
            episodes=self.timeline.episodes[:MOST_EPISODES],
            episodes_left_out=max(0, len(self.timeline.episodes) - MOST_EPISODES),
            unreadable=self.tally.unreadable[:MOST_NOTES],
            buried=self.tally.buried[:MOST_NOTES],
            made=self.made.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
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


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _data_url(content: bytes, kind: str = "image/jpeg") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
