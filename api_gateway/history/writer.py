"""Writing into the database, and forgetting what is too old."""

from collections.abc import Sequence

from sqlalchemy import Connection, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from api_gateway.history.database import Database
from api_gateway.history.records import episode_values, reading_values
from api_gateway.history.tables import episodes, models, readings
from contract import events
from contract.messages.erasure import ErasureScope

SWEPT_AT_A_TIME = 5000
"""Rows, so that other writers wait only for a moment."""

ModelKey = tuple[str, str]
"""Name with version, and labels with commas between."""


class HistoryWriter:
    """Takes in readings and episodes; may be asked to store the same again, by this gateway or another.

    Every method raises `DatabaseUnavailable` where the database cannot serve.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = sqlite.insert if database.kind == "sqlite" else postgresql.insert

    def write(self, taken: Sequence[events.Reading], spans: Sequence[events.Episode]) -> None:
        """Store all of it or nothing.

        Raises:
            RowsRefused: a value among them cannot be stored.
        """
        with self._database.writing() as connection:
            if taken:
                ids = self._model_ids(connection, {_model_key(reading) for reading in taken})
                rows = [reading_values(reading, ids[_model_key(reading)]) for reading in taken]
                connection.execute(self._insert(readings).on_conflict_do_nothing(), rows)
            if spans:
                self._put_episodes(connection, spans)

    def close_episodes(self, before_ms: int) -> int:
        """End those of which nothing was heard since: whoever recorded them was gone when they ended. How many."""
        silent = and_(episodes.c.phase != "end", episodes.c.end_ms < before_ms)
        with self._database.writing() as connection:
            return connection.execute(update(episodes).where(silent).values(phase="end")).rowcount

    def sweep(self, before_ms: int) -> int:
        """Delete some of what is older, readings and episodes that ended before; how many, 0 when there are no more."""
        old_readings = (
            select(readings.c.id)
            .where(readings.c.captured_ms < before_ms)
            .order_by(readings.c.captured_ms)
            .limit(SWEPT_AT_A_TIME)
        )
        old_episodes = select(episodes.c.id).where(episodes.c.end_ms < before_ms).limit(SWEPT_AT_A_TIME)
        with self._database.writing() as connection:
            gone = connection.execute(delete(readings).where(readings.c.id.in_(old_readings))).rowcount
            return gone + connection.execute(delete(episodes).where(episodes.c.id.in_(old_episodes))).rowcount

    def erase(self, span: ErasureScope) -> int:
        """Delete some of what is of this span, episodes that touch it, too; how many rows, 0 when there are no more."""
        some = select(readings.c.id).where(readings.c.captured_ms.between(span.from_ms, span.to_ms))
        others = select(episodes.c.id).where(episodes.c.start_ms <= span.to_ms, episodes.c.end_ms >= span.from_ms)
        if span.source is not None:
            some, others = some.where(readings.c.source == span.source), others.where(episodes.c.source == span.source)
        some, others = some.limit(SWEPT_AT_A_TIME), others.limit(SWEPT_AT_A_TIME)
        with self._database.writing() as connection:
            gone = connection.execute(delete(readings).where(readings.c.id.in_(some))).rowcount
            return gone + connection.execute(delete(episodes).where(episodes.c.id.in_(others))).rowcount

    def _model_ids(self, connection: Connection, wanted: set[ModelKey]) -> dict[ModelKey, int]:
        rows = [{"name": name, "labels": labels} for name, labels in sorted(wanted)]
        connection.execute(self._insert(models).on_conflict_do_nothing(), rows)
        found = connection.execute(select(models.c.name, models.c.labels, models.c.id))
        return {(name, labels): number for name, labels, number in found}

    def _put_episodes(self, connection: Connection, spans: Sequence[events.Episode]) -> None:
        new = self._insert(episodes)
        told, kept = new.excluded, episodes.c
        # What another gateway stored may be newer than what comes late from this one.
        newer = or_(told.end_ms > kept.end_ms, and_(told.end_ms == kept.end_ms, kept.phase != "end"))
        changed = {column.name: told[column.name] for column in kept if column.name != "id"}
        connection.execute(
            new.on_conflict_do_update(index_elements=["id"], set_=changed, where=newer),
            [episode_values(episode) for episode in spans],
        )


def _model_key(reading: events.Reading) -> ModelKey:
    return reading.model, ",".join(reading.probabilities)
