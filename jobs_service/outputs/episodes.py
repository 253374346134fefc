"""The episodes of an analysis, as CSV and as JSON lines."""

from collections.abc import Sequence

from contract import events
from contract.atomic_file import TextFile
from contract.csv_writer import CsvWriter

COLUMNS = (
    "start_s",
    "end_s",
    "duration_s",
    "track",
    "emotion",
    "mean_confidence",
    "peak_confidence",
    "peak_s",
    "readings",
    "best_frame",
    "id",
)


def write_csv(episodes: Sequence[events.Episode], file: TextFile) -> None:
    """Write one row per episode; times in seconds of the recording, confidences in percent."""
    writer = CsvWriter(file)
    writer.writerow(COLUMNS)
    for one in episodes:
        times = (f"{ms / 1000:.3f}" for ms in (one.start_ms, one.end_ms, one.duration_ms))
        peak = (f"{one.peak.confidence:.1f}", f"{one.peak.captured_ms / 1000:.3f}")
        shown = (one.track, one.emotion, f"{one.mean_confidence:.1f}")
        writer.writerow((*times, *shown, *peak, one.readings, one.best_face.frame, one.id))


def write_lines(episodes: Sequence[events.Episode], file: TextFile) -> None:
    """Write one object per episode: the event of its end."""
    for one in episodes:
        file.write(one.model_dump_json() + "\n")
