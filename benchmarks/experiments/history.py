"""The speed of queries of a week of two faces: the figures of docs/history.md.

    python benchmarks/experiments/history.py --database sqlite:////tmp/week.db
    python benchmarks/experiments/history.py --database postgresql://user:password@127.0.0.1/empty

Two readings a second of each face for seven days are 2.4 million rows. One face is one track for the whole week, which
is the worst case for a query of a rare emotion of a track; the other changes its track every few minutes. One
emotion comes once in ten thousand readings. A database that holds readings already is only asked.
"""

import random
import time
from collections.abc import Callable, Iterator
from itertools import islice
from statistics import median
from typing import Annotated, Any

import typer
from sqlalchemy import func, insert, select, text

from api_gateway.history.database import Database
from api_gateway.history.migration import migrate
from api_gateway.history.queries import HistoryQueries, Page, Search
from api_gateway.history.tables import SLOT_MS, episodes, models, readings
from api_gateway.history.writer import HistoryWriter

LABELS = ("angry", "contempt", "fear", "happy", "neutral", "sad", "surprise")
WEIGHTS = (300, 1, 200, 3000, 5000, 1000, 499)
DAY_MS = 86_400_000
BEGIN_MS = 1_790_000_000_000
AT_A_TIME = 20_000
EPISODE_MS = 4000
TURNS = 20
Values = dict[str, Any]


def main(
    database: Annotated[str, typer.Option(help="URL of an empty database, or of one that this script has filled.")],
    days: Annotated[float, typer.Option()] = 7.0,
) -> None:
    """Fill the database, then print the milliseconds per page for each query."""
    opened = Database(database)
    migrate(opened)
    with opened.reading() as connection:
        is_empty = connection.execute(select(readings.c.id).limit(1)).first() is None
    if is_empty:
        started = time.perf_counter()
        fill(opened, days)
        print(f"filled in {time.perf_counter() - started:.0f} s")
    with opened.reading() as connection:
        count = select(func.count())
        counts = [connection.execute(count.select_from(table)).scalar() for table in (readings, episodes)]
    print(f"{opened.kind}: {counts[0]:,} readings, {counts[1]:,} episodes, {size(opened) / 1e6:.0f} MB")
    pages, end_ms = HistoryQueries(opened), BEGIN_MS + round(days * DAY_MS)
    for kind, ask in (("readings", pages.readings), ("episodes", pages.episodes)):
        print(f"\n| {kind}, 100 of | median ms | slowest of {TURNS} |\n|---|---|---|")
        for name, search in searches(end_ms).items():
            times = [timed(ask, search) for _ in range(TURNS)]
            print(f"| {name} | {median(times):.1f} | {max(times):.1f} |")
    walk(pages, end_ms)
    started = time.perf_counter()
    swept = HistoryWriter(opened).sweep(BEGIN_MS + 3_600_000)
    print(f"one sweep: {swept:,} rows in {time.perf_counter() - started:.2f} s")


def searches(end_ms: int) -> dict[str, Search]:
    """Every query that could be slow."""
    middle = (BEGIN_MS + end_ms) // 2
    one = Search(source="one")
    return {
        "everything, the newest": Search(),
        "everything, the oldest": Search(order="oldest"),
        "a source": one,
        "a source, from the middle on": Search(source="one", from_ms=middle, order="oldest"),
        "a source, a minute in the middle": Search(source="one", from_ms=middle, to_ms=middle + 60_000),
        "a common emotion": Search(emotion="happy"),
        "a rare emotion": Search(emotion="contempt"),
        "a rare emotion of a source": Search(source="one", emotion="contempt"),
        "an emotion that never came": Search(source="one", emotion="bored"),
        "a track of minutes": Search(source="two", track=1000),
        "a track of a week": Search(source="one", track=1),
        "a rare emotion of a track of a week": Search(source="one", track=1, emotion="contempt"),
        "a track, whosever it is": Search(track=1000),
        "a source, at the last cursor": one.then((BEGIN_MS + 60_000, 1), 100),
        "a source without readings": Search(source="nobody"),
    }


def timed(ask: Callable[[Search], Page[Any]], search: Search) -> float:
    """Milliseconds of one page."""
    started = time.perf_counter()
    ask(search if search.after is None or ask.__name__ == "readings" else search.then((search.after[0], "a"), 100))
    return (time.perf_counter() - started) * 1000


def walk(pages: HistoryQueries, end_ms: int) -> None:
    """A day in pages of a thousand, as for the CSV."""
    search, count = Search(source="one", from_ms=end_ms - DAY_MS, limit=1000), 0
    started = time.perf_counter()
    while True:
        page = pages.readings(search)
        count += len(page.items)
        if page.next is None:
            break
        search = search.then(page.next, 1000)
    seconds = time.perf_counter() - started
    print(f"\na day of one face: {count:,} readings in {seconds:.1f} s, {count / seconds:,.0f} a second")


def size(database: Database) -> int:
    """Bytes of the tables and indices."""
    sqlite = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    with database.reading() as connection:
        query = sqlite if database.kind == "sqlite" else "SELECT pg_database_size(current_database())"
        return int(connection.execute(text(query)).scalar_one())


def fill(database: Database, days: float) -> None:
    """Store the readings and episodes of two faces."""
    with database.writing() as connection:
        connection.execute(insert(models), [{"name": "mine@1.0.0", "labels": ",".join(LABELS)}])
    for table, rows in ((readings, reading_rows(days)), (episodes, episode_rows(days))):
        while some := list(islice(rows, AT_A_TIME)):
            with database.writing() as connection:
                connection.execute(insert(table), some)


def reading_rows(days: float) -> Iterator[Values]:
    """In the order of time."""
    chance = random.Random(1)  # noqa: S311 - no secrets
    probabilities = [round(1 / len(LABELS), 4)] * len(LABELS)
    for turn in range(round(days * DAY_MS / SLOT_MS)):
        captured_ms = BEGIN_MS + turn * SLOT_MS
        for source, track in faces(turn):
            yield {
                "source": source,
                "epoch": "6f1c0b9e",
                "track": track,
                "slot": captured_ms // SLOT_MS,
                "frame": turn * 7,
                "face": 0,
                "captured_ms": captured_ms,
                "emotion": chance.choices(LABELS, WEIGHTS)[0],
                "confidence": 97.3,
                "probabilities": probabilities,
                "box": [167.1, 138.2, 198.0, 198.0],
                "flaws": [],
                "model_id": 1,
            }


def episode_rows(days: float) -> Iterator[Values]:
    """One per four seconds and face."""
    chance = random.Random(2)  # noqa: S311
    quality = {"brightness": 0.42, "sharpness": 0.58, "size": 198.0, "turn": 0.04, "inside": 1.0}
    for turn in range(0, round(days * DAY_MS / SLOT_MS), EPISODE_MS // SLOT_MS):
        start_ms = BEGIN_MS + turn * SLOT_MS
        for source, track in faces(turn):
            yield {
                "id": f"{source}-6f1c0b9e-{track}-{turn * 7}",
                "phase": "end",
                "source": source,
                "epoch": "6f1c0b9e",
                "track": track,
                "emotion": chance.choices(LABELS, WEIGHTS)[0],
                "start_ms": start_ms,
                "end_ms": start_ms + EPISODE_MS - 100,
                "mean_confidence": 91.2,
                "readings": 55,
                "peak": {"confidence": 97.3, "frame": turn * 7, "captured_ms": start_ms},
                "best_face": {
                    "frame": turn * 7,
                    "captured_ms": start_ms,
                    "box": [167.1, 138.2, 198.0, 198.0],
                    "quality": quality,
                },
                "model": "mine@1.0.0",
            }


def faces(turn: int) -> tuple[tuple[str, int], tuple[str, int]]:
    """Source and track of both faces: the second changes its track every four minutes."""
    return ("one", 1), ("two", turn // 480)


if __name__ == "__main__":
    typer.run(main)
