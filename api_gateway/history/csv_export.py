"""Exports records as CSV, line by line, whatever their number."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from api_gateway.history.queries import Page, Record, Search
from api_gateway.history.records import EpisodeRecord, ReadingRecord
from contract.csv_writer import CsvWriter

ROWS_AT_A_TIME = 1000
READING_COLUMNS = (
    "time", "captured_ms", "source", "epoch", "frame", "track", "face", "left", "top", "width", "height",
    "emotion", "between", "confidence", "flaws", "model",
)  # fmt: skip
"""The columns before the probabilities; each label of any model has one."""
EPISODE_COLUMNS = (
    "start", "end", "id", "phase", "source", "epoch", "track", "emotion", "start_ms", "end_ms", "duration_ms",
    "mean_confidence", "readings", "peak_confidence", "peak_frame", "peak_captured_ms",
    "best_frame", "best_captured_ms", "best_left", "best_top", "best_width", "best_height", "model",
)  # fmt: skip


async def csv_export(
    columns: Iterable[str],
    first: Page[Record],
    search: Search,
    ask: Callable[[Search], Awaitable[Page[Record]]],
    row: Callable[[Record], Iterable[Any]],
    most: int | None,
) -> AsyncIterator[str]:
    """The lines of the CSV, in parts.

    Args:
        columns: the first line.
        first: the first page, queried before, so that an error still has its status code.
        search: what `first` is the answer to.
        ask: gives the next pages.
        row: the cells of a record.
        most: so many records at the most; None gives all.
    """
    yield _lines([columns])
    page, left = first, most
    while True:
        yield _lines(row(item) for item in page.items)
        if left is not None:
            left -= len(page.items)
        if page.next is None or left == 0:
            return
        page = await ask(search.then(page.next, min(ROWS_AT_A_TIME, left or ROWS_AT_A_TIME)))


def reading_row(reading: ReadingRecord, labels: tuple[str, ...]) -> Iterator[Any]:
    """The cells of a reading: `READING_COLUMNS`, then a probability for each label; empty where its model has none."""
    yield from (_iso(reading.captured_ms), reading.captured_ms, reading.source, reading.epoch, reading.frame)
    yield from (reading.track, reading.face, *reading.box, reading.emotion, " ".join(reading.between))
    yield from (reading.confidence, ", ".join(reading.flaws), reading.model)
    yield from (reading.probabilities.get(label, "") for label in labels)


def episode_row(episode: EpisodeRecord) -> Iterator[Any]:
    """The cells of an episode: `EPISODE_COLUMNS`."""
    yield from (_iso(episode.start_ms), _iso(episode.end_ms), episode.id, episode.phase, episode.source, episode.epoch)
    yield from (episode.track, episode.emotion, episode.start_ms, episode.end_ms, episode.duration_ms)
    yield from (episode.mean_confidence, episode.readings)
    yield from (episode.peak.confidence, episode.peak.frame, episode.peak.captured_ms)
    yield from (episode.best_face.frame, episode.best_face.captured_ms, *episode.best_face.box, episode.model)


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    written = io.StringIO()
    CsvWriter(written).writerows(rows)
    return written.getvalue()


def _iso(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
