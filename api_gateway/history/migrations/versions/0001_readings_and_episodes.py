"""Readings, episodes, and the models that they are of."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables."""
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "models",
        sa.Column("id", key, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.UniqueConstraint("name", "labels", name="models_once"),
    )
    _create_readings(key)
    _create_episodes()


def _create_readings(key: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "readings",
        sa.Column("id", key, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("track", sa.BigInteger, nullable=False),
        sa.Column("slot", sa.BigInteger, nullable=False),
        sa.Column("frame", sa.BigInteger, nullable=False),
        sa.Column("face", sa.Integer, nullable=False),
        sa.Column("captured_ms", sa.BigInteger, nullable=False),
        sa.Column("emotion", sa.Text, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("probabilities", sa.JSON, nullable=False),
        sa.Column("box", sa.JSON, nullable=False),
        sa.Column("flaws", sa.JSON, nullable=False),
        sa.Column("model_id", key, sa.ForeignKey("models.id", name="readings_model"), nullable=False),
        sa.UniqueConstraint("source", "epoch", "track", "slot", name="readings_once"),
    )
    _index("readings", "captured_ms", "id")


def _create_episodes() -> None:
    op.create_table(
        "episodes",
        sa.Column("id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), primary_key=True),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("track", sa.BigInteger, nullable=False),
        sa.Column("emotion", sa.Text, nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("end_ms", sa.BigInteger, nullable=False),
        sa.Column("mean_confidence", sa.Float, nullable=False),
        sa.Column("readings", sa.BigInteger, nullable=False),
        sa.Column("peak", sa.JSON, nullable=False),
        sa.Column("best_face", sa.JSON, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
    )
    _index("episodes", "start_ms", "id", "end_ms")
    op.create_index("episodes_by_end", "episodes", ["end_ms"])


def _index(table: str, *order: str) -> None:
    """Create an index for every filter, each in the order of the result."""
    filters = {
        "time": [],
        "source": ["source"],
        "emotion": ["emotion"],
        "source_emotion": ["source", "emotion"],
        "track": ["source", "track"],
        "track_emotion": ["source", "track", "emotion"],
    }
    for name, columns in filters.items():
        op.create_index(f"{table}_by_{name}", table, [*columns, *order])
