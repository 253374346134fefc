"""The summary that an analysis prints at its end."""

from rich.console import Console

from contract.printable import printable
from jobs_service.analysis.counts import plural
from jobs_service.analysis.writer import AnalysisWriter
from jobs_service.outputs.outputs import Outputs


def print_summary(writer: AnalysisWriter, outputs: Outputs, console: Console) -> None:
    """Print what was found and, as warnings, what is missing from the results.

    Args:
        writer: of the recording, finished.
        outputs: the files that were written.
        console: to print to.
    """

    def print_line(text: str, style: str | None = None) -> None:
        console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)

    counts = writer.counts
    faces, frames = plural(counts.faces, "face"), plural(counts.frames, "frame")
    tracks, episodes = plural(len(counts.tracks), "track"), plural(len(writer.episodes), "episode")
    print_line(f"{faces} of {tracks} in {frames}; {episodes}")
    classified = counts.emotions.total()
    if shares := [f"{emotion} {100 * count / classified:.0f}%" for emotion, count in counts.emotions.most_common()]:
        print_line(f"Emotions (smoothed over time): {', '.join(shares)}")
    for warning in counts.warnings():
        print_line(warning, "yellow")
    written = [*outputs.wanted.values(), *outputs.manifests.values()]
    print_line(f"Written: {', '.join(map(printable, written))}")
