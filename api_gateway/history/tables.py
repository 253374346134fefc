"""The tables. Times are milliseconds since 1970 of Redis's clock, as in the events."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

SLOT_MS = 500
"""Of each track one reading is recorded in each span of so long."""

metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the type is INTEGER."""

models = Table(
    "models",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", Text, nullable=False),  # name@version
    Column("labels", Text, nullable=False),  # separated by commas, in the order of a reading's probabilities
    UniqueConstraint("name", "labels", name="models_once"),
)

readings = Table(
    "readings",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("source", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("track", BigInteger, nullable=False),
    Column("slot", BigInteger, nullable=False),  # captured_ms // SLOT_MS
    Column("frame", BigInteger, nullable=False),
    Column("face", Integer, nullable=False),
    Column("captured_ms", BigInteger, nullable=False),
    Column("emotion", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("probabilities", JSON, nullable=False),
    Column("box", JSON, nullable=False),
    Column("flaws", JSON, nullable=False),
    Column("model_id", _Id, ForeignKey("models.id", name="readings_model"), nullable=False),
    # Two gateways that both record while one takes over from the other store nothing twice.
    UniqueConstraint("source", "epoch", "track", "slot", name="readings_once"),
    Index("readings_by_time", "captured_ms", "id"),
    Index("readings_by_source", "source", "captured_ms", "id"),
    Index("readings_by_emotion", "emotion", "captured_ms", "id"),
    Index("readings_by_source_emotion", "source", "emotion", "captured_ms", "id"),
    Index("readings_by_track", "source", "track", "captured_ms", "id"),
    Index("readings_by_track_emotion", "source", "track", "emotion", "captured_ms", "id"),
)

# With the end in the index, episodes that ended before a span are skipped without reading their rows.
episodes = Table(
    "episodes",
    metadata,
    Column("id", Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True),  # in Python's order
    Column("phase", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("track", BigInteger, nullable=False),
    Column("emotion", Text, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("mean_confidence", Float, nullable=False),
    Column("readings", BigInteger, nullable=False),
    Column("peak", JSON, nullable=False),
    Column("best_face", JSON, nullable=False),
    Column("model", Text, nullable=False),
    Index("episodes_by_time", "start_ms", "id", "end_ms"),
    Index("episodes_by_source", "source", "start_ms", "id", "end_ms"),
    Index("episodes_by_emotion", "emotion", "start_ms", "id", "end_ms"),
    Index("episodes_by_source_emotion", "source", "emotion", "start_ms", "id", "end_ms"),
    Index("episodes_by_track", "source", "track", "start_ms", "id", "end_ms"),
    Index("episodes_by_track_emotion", "source", "track", "emotion", "start_ms", "id", "end_ms"),
    Index("episodes_by_end", "end_ms"),
)
