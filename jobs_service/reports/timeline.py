"""The timeline of a recording: the smoothed probabilities of each track, in few enough points to be drawn."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from contract import events
from contract.messages import Quality
from jobs_service.outputs.jsonl import Line
from postprocessing.smoothing import quality_weight

MAX_POINTS = 600
"""Per track; a page is hardly wider in pixels."""
MAX_TRACKS = 40
"""Of the tracks, those with most readings are drawn."""
GAP_MS = 1000
"""A track that was absent for longer is drawn with a gap."""

Share = Annotated[float, Field(ge=0, le=1)]


class TrackTimeline(BaseModel):
    """One track over the recording. `times_ms` and each list in `probabilities` have one value per point."""

    model_config = ConfigDict(frozen=True)

    track: int
    readings: int
    first_ms: int
    last_ms: int
    best_face: events.BestFace
    """The face that identifies the track to people."""
    shares: dict[str, Share]
    """Emotion (or `uncertain`) -> share of the readings that show it, largest first."""
    times_ms: tuple[int, ...]
    probabilities: dict[str, tuple[float, ...]]

    def stretches(self, gap_ms: int) -> list[range]:
        """The ranges of points without a gap between them."""
        starts = [0, *(n for n in range(1, len(self.times_ms)) if self.times_ms[n] - self.times_ms[n - 1] > gap_ms)]
        return [range(start, end) for start, end in zip(starts, [*starts[1:], len(self.times_ms)], strict=True)]


class Timeline(BaseModel):
    """The timeline of a recording, and the content of `timeline.json`."""

    model_config = ConfigDict(frozen=True)

    name: str
    model: str
    """`name@version`; empty if no face was found."""
    labels: tuple[str, ...]
    """In the model's order."""
    duration_ms: int
    frames: int
    faces: int
    gap_ms: int = GAP_MS
    """Points of a track that are farther apart are not connected."""
    tracks: tuple[TrackTimeline, ...]
    """In the order in which they appear."""
    tracks_left_out: int
    """How many tracks are not drawn, because they have fewer readings."""
    episodes: tuple[events.Episode, ...]
    """Of the tracks above."""


@dataclass
class _Track:
    readings: int = 0
    first_ms: int = 0
    last_ms: int = 0
    best: float = -1.0
    best_line: Line = field(default_factory=dict)
    shown: Counter[str] = field(default_factory=Counter)
    points: dict[int, "_Point"] = field(default_factory=dict)
    """By bin; bins without a reading are absent."""

    def add(self, line: Line, width_ms: float) -> None:
        at_ms = line["captured_ms"]
        self.first_ms = at_ms if not self.readings else self.first_ms
        self.readings, self.last_ms = self.readings + 1, at_ms
        self.shown[line["emotion"]] += 1
        if (legibility := _legibility(line)) > self.best:
            self.best, self.best_line = legibility, line
        self.points.setdefault(int(at_ms / width_ms), _Point()).add(at_ms, line["probabilities"])


def _legibility(line: Line) -> float:
    """How well a face can be seen: its quality and size."""
    quality = Quality(**line["quality"])
    return quality_weight(quality) * quality.size


@dataclass
class _Point:
    count: int = 0
    at_ms: int = 0
    sums: Counter[str] = field(default_factory=Counter)

    def add(self, at_ms: int, probabilities: dict[str, float]) -> None:
        self.count += 1
        self.at_ms += at_ms
        self.sums.update(probabilities)


def build_timeline(
    name: str, lines: Iterable[Line], episodes: Sequence[events.Episode], frames: int, last_ms: int
) -> Timeline:
    """The timeline of an analysis.

    Args:
        name: of the recording.
        lines: its JSON lines, in the order of their times.
        episodes: all of them.
        frames: of the recording.
        last_ms: the time of the last frame.
    """
    frame_ms = last_ms / max(frames - 1, 1)
    duration_ms = round(last_ms + frame_ms)
    width_ms = max(duration_ms / MAX_POINTS, frame_ms / 2, 1)
    tracks: dict[int, _Track] = {}
    model, labels, faces = "", (), 0
    for line in lines:
        faces += line["kind"] != "unreadable"
        if line["kind"] == "reading":
            if not model:
                model, labels = line["model"], tuple(line["probabilities"])
            tracks.setdefault(line["track"], _Track()).add(line, width_ms)
    longest = sorted(tracks, key=lambda track: tracks[track].readings, reverse=True)[:MAX_TRACKS]
    drawn = sorted(longest, key=lambda track: (tracks[track].first_ms, track))
    return Timeline(
        name=name,
        model=model,
        labels=labels,
        duration_ms=duration_ms,
        frames=frames,
        faces=faces,
        tracks=tuple(_track_timeline(track, tracks[track], labels) for track in drawn),
        tracks_left_out=len(tracks) - len(drawn),
        episodes=tuple(one for one in episodes if one.track in set(drawn)),
    )


def _track_timeline(number: int, track: _Track, labels: tuple[str, ...]) -> TrackTimeline:
    points = [point for _, point in sorted(track.points.items())]
    return TrackTimeline(
        track=number,
        readings=track.readings,
        first_ms=track.first_ms,
        last_ms=track.last_ms,
        best_face=events.BestFace(**{name: track.best_line[name] for name in events.BestFace.model_fields}),
        shares={emotion: round(count / track.readings, 4) for emotion, count in track.shown.most_common()},
        times_ms=tuple(round(point.at_ms / point.count) for point in points),
        probabilities={label: tuple(round(point.sums[label] / point.count, 4) for point in points) for label in labels},
    )
