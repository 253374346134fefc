"""`/api/v1/readings` and `/api/v1/episodes`: the recorded history."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from pydantic.config import JsonDict

from api_gateway.history.csv_export import (
    EPISODE_COLUMNS,
    READING_COLUMNS,
    ROWS_AT_A_TIME,
    csv_export,
    episode_row,
    reading_row,
)
from api_gateway.history.errors import HistoryOff
from api_gateway.history.queries import Page, Record, Search, write_cursor
from api_gateway.history.records import EpisodeRecord, ReadingRecord
from api_gateway.history.service import HistoryService
from api_gateway.routes.dependencies import HistoryDep
from api_gateway.routes.history_query import HistoryQuery
from api_gateway.routes.openapi import Responses
from api_gateway.security.access import SourceViewer, require_source
from api_gateway.security.errors import Forbidden
from api_gateway.security.tokens import Grant

router = APIRouter(prefix="/api/v1", tags=["history"])
PAGE_SIZE = 100
READING: JsonDict = {
    "kind": "reading",
    "source": "front",
    "epoch": "6f1c0b9e",
    "frame": 5120,
    "track": 3,
    "face": 0,
    "captured_ms": 1790000000000,
    "emotion": "happy",
    "between": [],
    "confidence": 97.3,
    "probabilities": {"happy": 0.973, "sad": 0.027},
    "box": [167.1, 138.2, 198.0, 198.0],
    "flaws": [],
    "model": "mine@1.0.0",
}
EPISODE: JsonDict = {
    "kind": "episode",
    "phase": "end",
    "id": "front-6f1c0b9e-3-5101",
    "source": "front",
    "epoch": "6f1c0b9e",
    "track": 3,
    "emotion": "happy",
    "start_ms": 1789999998700,
    "end_ms": 1790000004200,
    "duration_ms": 5500,
    "peak": {"confidence": 98.8, "frame": 5133, "captured_ms": 1790000000870},
    "mean_confidence": 93.1,
    "readings": 81,
    "best_face": {
        "frame": 5140,
        "captured_ms": 1790000001340,
        "box": [166.0, 137.5, 199.0, 199.0],
        "quality": {"brightness": 0.42, "sharpness": 0.58, "size": 199.0, "turn": 0.04, "inside": 1.0},
    },
    "model": "mine@1.0.0",
}


class ReadingsResponse(BaseModel):
    """One page of recorded readings."""

    model_config = {"json_schema_extra": {"example": {"items": [READING], "next": None}}}

    items: list[ReadingRecord]
    next: str | None
    """The value of `after` for the next page; None at the end."""


class EpisodesResponse(BaseModel):
    """One page of recorded episodes."""

    model_config = {"json_schema_extra": {"example": {"items": [EPISODE], "next": None}}}

    items: list[EpisodeRecord]
    next: str | None
    """The value of `after` for the next page; None at the end."""


def _or_csv(columns: tuple[str, ...]) -> Responses:
    csv = {"schema": {"type": "string"}, "example": ",".join(columns) + "\r\n"}
    return {200: {"content": {"text/csv": csv}, "description": "The rows that match; as CSV all of them, not a page."}}


@router.get("/readings", response_model=ReadingsResponse, responses=_or_csv(READING_COLUMNS))
async def readings(
    history: HistoryDep, query: Annotated[HistoryQuery, Query()], grant: SourceViewer
) -> ReadingsResponse | Response:
    """Recorded readings of live sources by time, at most two a second of each face."""
    _check(grant, query, history)
    if query.format == "json":
        page = await history.readings(query.search(int, PAGE_SIZE))
        return ReadingsResponse(items=page.items, next=_cursor(page))
    labels = await history.labels()
    lines = await _csv_lines(
        (*READING_COLUMNS, *labels),
        query.search(int, ROWS_AT_A_TIME),
        history.readings,
        lambda reading: reading_row(reading, labels),
        query.limit,
    )
    return _csv_file("readings", lines)


@router.get("/episodes", response_model=EpisodesResponse, responses=_or_csv(EPISODE_COLUMNS))
async def episodes(
    history: HistoryDep, query: Annotated[HistoryQuery, Query()], grant: SourceViewer
) -> EpisodesResponse | Response:
    """Recorded episodes by their start: those that overlap the span between `from` and `to`."""
    _check(grant, query, history)
    if query.format == "json":
        page = await history.episodes(query.search(str, PAGE_SIZE))
        return EpisodesResponse(items=page.items, next=_cursor(page))
    search = query.search(str, ROWS_AT_A_TIME)
    lines = await _csv_lines(EPISODE_COLUMNS, search, history.episodes, episode_row, query.limit)
    return _csv_file("episodes", lines)


def _check(grant: Grant, query: HistoryQuery, history: HistoryService) -> None:
    """Raise `Forbidden` or `HistoryOff` where the query cannot be served."""
    if grant.sources is not None and query.source is None:
        raise Forbidden(f"this token is for single sources: add source={min(grant.sources)}")
    if query.source is not None:
        require_source(grant, query.source)
    if not history.on:
        raise HistoryOff


async def _csv_lines(
    columns: tuple[str, ...],
    search: Search,
    fetch: Callable[[Search], Awaitable[Page[Record]]],
    row: Callable[[Record], Iterator[Any]],
    most: int | None,
) -> AsyncIterator[str]:
    """Fetches the first page before the response begins, so that an unavailable database still has its status."""
    return csv_export(columns, await fetch(search), search, fetch, row, most)


def _csv_file(name: str, lines: AsyncIterator[str]) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="emotii-{name}.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def _cursor(page: Page[Record]) -> str | None:
    return None if page.next is None else write_cursor(page.next)
