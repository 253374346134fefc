"""`/api/v1/readings` and `/api/v1/episodes`: what was recorded."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from pydantic.config import JsonDict

from api_gateway.errors import ApiError
from api_gateway.gateway import Gateway
from api_gateway.history.csv_export import (
    EPISODE_COLUMNS,
    READING_COLUMNS,
    ROWS_AT_A_TIME,
    csv_export,
    episode_row,
    reading_row,
)
from api_gateway.history.database import DatabaseUnavailable, RowsRefused
from api_gateway.history.queries import Page, Record, Search, write_cursor
from api_gateway.history.records import EpisodeRecord, ReadingRecord
from api_gateway.routes.dependencies import AskedGateway
from api_gateway.routes.history_query import AskedHistory
from api_gateway.security.access import SourceViewer, must_see
from api_gateway.security.tokens import Grant

router = APIRouter(prefix="/api/v1", tags=["history"])
PAGE = 100
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


class ReadingsAnswer(BaseModel):
    """One page of recorded readings."""

    model_config = {"json_schema_extra": {"example": {"items": [READING], "next": None}}}

    items: list[ReadingRecord]
    next: str | None
    """What to give as `after` for the next page; None at the end."""


class EpisodesAnswer(BaseModel):
    """One page of recorded episodes."""

    model_config = {"json_schema_extra": {"example": {"items": [EPISODE], "next": None}}}

    items: list[EpisodeRecord]
    next: str | None
    """What to give as `after` for the next page; None at the end."""


def _or_csv(columns: tuple[str, ...]) -> dict[int | str, dict[str, Any]]:
    csv = {"schema": {"type": "string"}, "example": ",".join(columns) + "\r\n"}
    return {200: {"content": {"text/csv": csv}, "description": "What was found; CSV holds all of it, not a page."}}


@router.get("/readings", response_model=ReadingsAnswer, responses=_or_csv(READING_COLUMNS))
async def readings(
    gateway: AskedGateway, asked: Annotated[AskedHistory, Query()], grant: SourceViewer
) -> ReadingsAnswer | Response:
    """Recorded readings by time: of each face at most two a second, those of live sources."""
    _authorize(grant, asked)
    with _told(gateway):
        if asked.format == "json":
            page = await gateway.history.readings(asked.search(int, PAGE))
            return ReadingsAnswer(items=page.items, next=_cursor(page))
        labels = await gateway.history.labels()
        lines = await _sheet(
            (*READING_COLUMNS, *labels),
            asked.search(int, ROWS_AT_A_TIME),
            gateway.history.readings,
            lambda reading: reading_row(reading, labels),
            asked.limit,
        )
    return _file("readings", lines)


@router.get("/episodes", response_model=EpisodesAnswer, responses=_or_csv(EPISODE_COLUMNS))
async def episodes(
    gateway: AskedGateway, asked: Annotated[AskedHistory, Query()], grant: SourceViewer
) -> EpisodesAnswer | Response:
    """Recorded episodes by their start, those that touch the span between `from` and `to`."""
    _authorize(grant, asked)
    with _told(gateway):
        if asked.format == "json":
            page = await gateway.history.episodes(asked.search(str, PAGE))
            return EpisodesAnswer(items=page.items, next=_cursor(page))
        search = asked.search(str, ROWS_AT_A_TIME)
        lines = await _sheet(EPISODE_COLUMNS, search, gateway.history.episodes, episode_row, asked.limit)
    return _file("episodes", lines)


def _authorize(grant: Grant, asked: AskedHistory) -> None:
    if grant.sources is not None and asked.source is None:
        raise ApiError(403, "forbidden", f"this token is for single sources: add source={min(grant.sources)}")
    if asked.source is not None:
        must_see(grant, asked.source)


@contextmanager
def _told(gateway: Gateway) -> Iterator[None]:
    """What keeps the history from answering, as an error of the one shape."""
    if not gateway.history.on:
        raise ApiError(404, "no_history", "nothing is recorded here (EMOTII_HISTORY=0)")
    try:
        yield
    except DatabaseUnavailable as error:
        raise ApiError(503, "history_unavailable", f"the database of the history cannot serve now: {error}") from error
    except RowsRefused as error:
        raise ApiError(422, "invalid_request", str(error)) from error


async def _sheet(
    columns: tuple[str, ...],
    search: Search,
    ask: Callable[[Search], Awaitable[Page[Record]]],
    row: Callable[[Record], Iterator[Any]],
    most: int | None,
) -> AsyncIterator[str]:
    """The first page is asked for at once, so that a database that is away is still told as such."""
    return csv_export(columns, await ask(search), search, ask, row, most)


def _file(name: str, lines: AsyncIterator[str]) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="emotii-{name}.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def _cursor(page: Page[Record]) -> str | None:
    return None if page.next is None else write_cursor(page.next)
