"""Queries of the database: one page at a time, each beginning where the one before ended."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, select, tuple_

from api_gateway.history.database import Database
from api_gateway.history.records import EpisodeRecord, ReadingRecord, episode_record, reading_record
from api_gateway.history.tables import episodes, models, readings

LARGEST = 2**62
"""Above every time and id in a database, and within the range of its integers."""
Order = Literal["newest", "oldest"]
Place = tuple[int, int | str]
"""Time and id of a row: its place in every order."""
Record = TypeVar("Record", ReadingRecord, EpisodeRecord)


@dataclass(frozen=True)
class Search:
    """The filter of a query; None: any."""

    source: str | None = None
    track: int | None = None
    """Within a source."""
    emotion: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    """Not included."""
    order: Order = "newest"
    limit: int = 100
    after: Place | None = None

    def then(self, place: Place, limit: int) -> "Search":
        """The same search from a place on."""
        return replace(self, after=place, limit=limit)


@dataclass(frozen=True)
class Page(Generic[Record]):
    """A page of records, and the place of the last one if more follow."""

    items: list[Record]
    next: Place | None


class HistoryQueries:
    """The readings and episodes of a database. Every method raises `DatabaseUnavailable` during an outage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def readings(self, search: Search) -> Page[ReadingRecord]:
        """A page of readings in the order of their time."""
        return self._page(readings, readings_query, search, lambda row: (row.captured_ms, row.id), reading_record)

    def episodes(self, search: Search) -> Page[EpisodeRecord]:
        """A page of episodes in the order of their start: those that overlap the requested span."""
        return self._page(episodes, episodes_query, search, lambda row: (row.start_ms, row.id), episode_record)

    def sources(self) -> set[str]:
        """The names of all sources of which something was recorded."""
        found: set[str] = set()
        with self._database.reading() as connection:
            for table in (readings, episodes):
                found.update(connection.execute(select(table.c.source).distinct()).scalars())
        return found

    def labels(self) -> tuple[str, ...]:
        """The labels of all models whose readings were recorded, each once."""
        with self._database.reading() as connection:
            found = connection.execute(select(models.c.labels).order_by(models.c.id)).scalars().all()
        return tuple(dict.fromkeys(label for labels in found for label in labels.split(",")))

    def _page(
        self,
        table: Table,
        query: Callable[[Search], Select[Any]],
        search: Search,
        place: Callable[[Row[Any]], Place],
        record: Callable[[Row[Any]], Record],
    ) -> Page[Record]:
        with self._database.reading() as connection:
            searches = [replace(search, source=source) for source in _sources(connection, table, search)]
            rows = [row for one in searches for row in connection.execute(query(one).limit(search.limit + 1))]
        rows.sort(key=place, reverse=search.order == "newest")
        shown = rows[: search.limit]
        return Page([record(row) for row in shown], place(shown[-1]) if len(rows) > search.limit else None)


def readings_query(search: Search) -> Select[Any]:
    """The query of the readings that a search selects, in order."""
    table = readings.c
    query = select(readings, models.c.labels, models.c.name.label("model")).join(models)
    query = _ordered(_of_face(query, search, readings.c), search, table.captured_ms, table.id)
    if search.from_ms is not None:
        query = query.where(table.captured_ms >= search.from_ms)
    if search.to_ms is not None:
        query = query.where(table.captured_ms < search.to_ms)
    return query


def episodes_query(search: Search) -> Select[Any]:
    """The query of the episodes that a search selects, in order."""
    table = episodes.c
    query = _ordered(_of_face(select(episodes), search, table), search, table.start_ms, table.id)
    if search.from_ms is not None:
        query = query.where(table.end_ms >= search.from_ms)
    if search.to_ms is not None:
        query = query.where(table.start_ms < search.to_ms)
    return query


def _sources(connection: Connection, table: Table, search: Search) -> list[str | None]:
    """The sources to query one after the other: no index begins with the track, whose number belongs to its source."""
    if search.source is not None or search.track is None:
        return [search.source]
    names: list[str | None] = []
    first = select(func.min(table.c.source))
    while name := connection.execute(first.where(table.c.source > (names[-1] if names else ""))).scalar():
        names.append(name)
    return names


def _of_face(query: Select[Any], search: Search, table: Any) -> Select[Any]:  # noqa: ANN401 - columns of either table
    for name in ("source", "track", "emotion"):
        if (value := getattr(search, name)) is not None:
            query = query.where(table[name] == value)
    return query


def _ordered(query: Select[Any], search: Search, time: ColumnElement[Any], key: ColumnElement[Any]) -> Select[Any]:
    newest = search.order == "newest"
    if search.after is not None:
        here, there = tuple_(time, key), tuple_(*search.after)
        query = query.where(here < there if newest else here > there)
    return query.order_by(*((time.desc(), key.desc()) if newest else (time, key)))


def write_cursor(place: Place) -> str:
    """A place as a string for a URL."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def read_cursor(cursor: str, key: type[int] | type[str]) -> Place:
    """The place that a cursor names.

    Raises:
        ValueError: it names none.
    """
    try:
        time, row = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, TypeError):
        time = row = None
    numbers = [part for part in (time, row) if part is not row or key is int]
    if type(row) is not key or not all(type(number) is int and 0 <= number < LARGEST for number in numbers):
        raise ValueError("not the `next` of a page")
    return time, row
