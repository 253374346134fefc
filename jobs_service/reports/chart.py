"""The timeline as a chart: one row per track, with its stacked probabilities and a ribbon of its episodes above."""

from typing import IO

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from contract import events
from contract.judgement import UNCERTAIN
from jobs_service.reports import colours
from jobs_service.reports.timeline import Timeline, TrackTimeline

WIDE, NARROW = 12.0, 9.6
"""Widths in inches: of a chart file, and of a chart in the report."""
ROW_INCHES, FRAME_INCHES = 1.2, 1.2
MOST_ROWS = 16
"""A chart with more rows is not legible; `timeline.json` has all drawn tracks."""
RIBBON = (1.06, 0.24)
"""Bottom and height of the ribbon, above probabilities of 0 to 1."""
SHORT_MS = 20_000
"""Times of a shorter recording are shown in tenths of a second."""
LETTER_SHARE = 0.0062
"""Approximate share of the width that a letter in the ribbon takes."""
STYLE = {
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": colours.INK,
    "text.parse_math": False,  # a name may have dollar signs
    "axes.edgecolor": colours.LINE,
    "xtick.color": colours.SOFT,
    "ytick.color": colours.SOFT,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "emotii",  # names in the SVG would be random otherwise
}


def draw_chart(timeline: Timeline, file: IO[bytes], *, in_page: bool = False) -> None:
    """Write the chart.

    Args:
        timeline: the rows are its tracks with most readings, in the order in which they appear.
        file: the file to write.
        in_page: True for an SVG that is as wide as the report and has no title; False for a PNG.
    """
    from matplotlib import rc_context

    rows = _rows(timeline)
    with rc_context(STYLE):
        height = FRAME_INCHES + ROW_INCHES * max(len(rows), 1)
        figure = Figure(
            figsize=(NARROW if in_page else WIDE, height), layout=ConstrainedLayoutEngine(h_pad=0.06, hspace=0.02)
        )
        axes = figure.subplots(max(len(rows), 1), 1, sharex=True, squeeze=False)[:, 0]
        for row, track in zip(axes, rows, strict=False):
            _draw_track(row, track, timeline)
        if not rows:
            axes[0].text(0.5, 0.5, "no face was found", ha="center", va="center", transform=axes[0].transAxes)
            axes[0].set_yticks([])
        _draw_times(axes[-1], timeline)
        _draw_legend(figure, timeline, None if in_page else _title(timeline, len(rows)))
        # Without a date, so that the same timeline gives the same file.
        kind, metadata = ("svg", {"Date": None}) if in_page else ("png", {})
        figure.savefig(file, format=kind, dpi=130, metadata=metadata)


def _rows(timeline: Timeline) -> list[TrackTimeline]:
    longest = sorted(timeline.tracks, key=lambda track: track.readings, reverse=True)[:MOST_ROWS]
    return [track for track in timeline.tracks if track in longest]


def _draw_track(axes: Axes, track: TrackTimeline, timeline: Timeline) -> None:
    for stretch in track.stretches(timeline.gap_ms):
        times, heights = _steps(track, stretch, timeline)
        axes.broken_barh([(times[0], times[-1] - times[0])], RIBBON, facecolors=colours.UNCERTAIN)
        bands = axes.stackplot(times, heights, colors=[colours.colour(label) for label in timeline.labels], linewidth=0)
        for band, label in zip(bands, timeline.labels, strict=True):
            band.set_hatch(colours.hatch(label, timeline.labels))
            band.set_edgecolor("white")
    for episode in timeline.episodes:
        if episode.track == track.track:
            _draw_episode(axes, episode, timeline)
    axes.set_ylim(0, RIBBON[0] + RIBBON[1] + 0.02)
    axes.set_yticks([0, 0.5, 1], ["0", "", "1"])
    axes.set_ylabel(f"face {track.track}", rotation=0, ha="right", va="center", labelpad=14, color=colours.INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)


def _steps(track: TrackTimeline, stretch: range, timeline: Timeline) -> tuple[list[float], list[list[float]]]:
    """Times in seconds, and the heights of each label; the last point is drawn as wide as a frame."""
    times = [track.times_ms[n] / 1000 for n in stretch]
    heights = [[track.probabilities[label][n] for n in stretch] for label in timeline.labels]
    frame_s = timeline.duration_ms / max(timeline.frames, 1) / 1000
    return [*times, times[-1] + frame_s], [[*height, height[-1]] for height in heights]


def _draw_episode(axes: Axes, episode: events.Episode, timeline: Timeline) -> None:
    frame_ms = timeline.duration_ms / max(timeline.frames, 1)
    start, width = episode.start_ms / 1000, (episode.duration_ms + frame_ms) / 1000
    axes.broken_barh(
        [(start, width)],
        RIBBON,
        facecolors=colours.colour(episode.emotion),
        hatch=colours.hatch(episode.emotion, timeline.labels),
        edgecolor="white",
        linewidth=0.8,
    )
    if width * 1000 / max(timeline.duration_ms, 1) > LETTER_SHARE * (len(episode.emotion) + 2):
        middle = start + width / 2, RIBBON[0] + RIBBON[1] / 2 - 0.01
        axes.text(*middle, episode.emotion, ha="center", va="center", fontsize=8, color=colours.INK, clip_on=True)


def _draw_times(axes: Axes, timeline: Timeline) -> None:
    steps = [1, 2, 5, 10] if timeline.duration_ms < SHORT_MS else [1, 1.5, 2, 3, 6, 10]
    axes.set_xlim(0, max(timeline.duration_ms, 1) / 1000)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, steps=steps))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: clock(seconds, timeline.duration_ms)))
    axes.set_xlabel("time in the recording", color=colours.SOFT)


def _draw_legend(figure: Figure, timeline: Timeline, title: str | None) -> None:
    labels = timeline.labels
    patches = [
        Patch(facecolor=colours.colour(label), hatch=colours.hatch(label, labels), edgecolor="white", label=label)
        for label in labels
    ]
    patches.append(Patch(facecolor=colours.UNCERTAIN, edgecolor="white", label=UNCERTAIN))
    legend = figure.legend(
        handles=patches,
        loc="outside upper left",
        ncols=min(len(patches), 9),
        title=title,
        title_fontsize=11,
        frameon=False,
        handlelength=1.2,
        columnspacing=1.4,
        borderpad=0.2,
    )
    legend.set_alignment("left")


def _title(timeline: Timeline, rows: int) -> str:
    more = len(timeline.tracks) + timeline.tracks_left_out - rows
    others = f" ({more} shorter tracks are left out)" if more else ""
    return f"{timeline.name}: probabilities of expressions ({timeline.model or 'no model'}){others}"


def clock(seconds: float, duration_ms: int) -> str:
    """`1:02`; `1:02:03` in a recording of hours; `1.3 s` in one of a few seconds."""
    if duration_ms < SHORT_MS:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if duration_ms < 3_600_000:
        return f"{minutes}:{rest:02}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
