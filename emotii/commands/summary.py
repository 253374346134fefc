"""What an analysis says at its end."""

from collections.abc import Iterator

from jobs_service.analysis.tally import AnalysisCounts
from rich.console import Console

from jobs_service.analysis.writer import AnalysisWriter
from jobs_service.outputs.outputs import Outputs


def summarise(record: AnalysisWriter, outputs: Outputs, console: Console) -> None:
    """Print what was found, and in warning lines what was not.

    Args:
        record: of the recording, finished.
        outputs: were written.
        console: where to.
    """

    def say(text: str, style: str | None = None) -> None:
        console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)

    tally = record.tally
    tracks, episodes = _many(len(tally.tracks), "track"), _many(len(record.episodes), "episode")
    say(f"{_many(tally.faces, 'face')} of {tracks} in {_many(tally.frames, 'frame')}; {episodes}")
    classified = tally.emotions.total()
    if shares := [f"{emotion} {100 * count / classified:.0f}%" for emotion, count in tally.emotions.most_common()]:
        say(f"Emotions: {', '.join(shares)}")
    for warning in _warnings(tally, record.stated_frames):
        say(warning, "yellow")
    say(f"Written: {', '.join(str(path) for path in outputs.wanted.values())}")


def _warnings(tally: AnalysisCounts, stated_frames: int | None) -> Iterator[str]:
    if tally.unreadable:
        first = tally.unreadable[0]
        count = _many(len(tally.unreadable), "frame")
        yield f"{count} could not be read, the first is number {first.id.frame}: {first.note}"
    if stated_frames is not None and tally.frames < stated_frames:
        yield f"The recording ended at {tally.frames} of the {stated_frames} frames that it states."
    if tally.buried:
        one, count = tally.buried[0], _many(len(tally.buried), "face")
        yield f"{count} could not be classified, the first in frame {one.frame}: {one.reason}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
