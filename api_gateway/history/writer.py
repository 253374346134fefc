"""Writes into the database, and deletes what is too old."""

from collections.abc import Sequence

from sqlalchemy import Connection, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from api_gateway.history.database import Database
from api_gateway.history.records import episode_values, reading_values
from api_gateway.history.tables import episodes, models, readings
from contract import events
from contract.messages.erasure import ErasureScope

SWEPT_AT_A_TIME = 5000
"""Rows in a transaction, so that other writers wait only for a moment."""

ModelKey = tuple[str, str]
"""Name with version, and the labels separated by commas."""


class HistoryWriter:
    """Stores readings and episodes; storing the same again, by this gateway or another, changes nothing.

    Every method raises `DatabaseUnavailable` during an outage.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = sqlite.insert if database.kind == "sqlite" else postgresql.insert

    def write(self, taken: Sequence[events.Reading], spans: Sequence[events.Episode]) -> None:
        """Store everything or nothing.

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
        """End episodes without an update since: their recorder was gone when they ended. Returns how many."""
        silent = and_(episodes.c.phase != "end", episodes.c.end_ms < before_ms)
        with self._database.writing() as connection:
            return connection.execute(update(episodes).where(silent).values(phase="end")).rowcount

    def sweep(self, before_ms: int) -> int:
        """Delete some older readings and ended episodes; returns how many rows, 0 when none are left."""
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

    def erase(self, scope: ErasureScope) -> int:
        """Delete some rows of this scope, overlapping episodes included; returns how many, 0 when none are left."""
        some = select(readings.c.id).where(readings.c.captured_ms.between(scope.from_ms, scope.to_ms))
        others = select(episodes.c.id).where(episodes.c.start_ms <= scope.to_ms, episodes.c.end_ms >= scope.from_ms)
        if scope.source is not None:
            some, others = (
                some.where(readings.c.source == scope.source),
                others.where(episodes.c.source == scope.source),
            )
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
        update, stored = new.excluded, episodes.c
        # Another gateway may have stored a newer update than this one, which comes late.
        newer = or_(update.end_ms > stored.end_ms, and_(update.end_ms == stored.end_ms, stored.phase != "end"))
        changed = {column.name: update[column.name] for column in stored if column.name != "id"}
        connection.execute(
            new.on_conflict_do_update(index_elements=["id"], set_=changed, where=newer),
            [episode_values(episode) for episode in spans],
        )


def _model_key(reading: events.Reading) -> ModelKey:
    return reading.model, ",".join(reading.probabilities)
