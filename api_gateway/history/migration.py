"""Bringing the tables of a database up to this release, by Alembic's scripts beside this module."""

from sqlalchemy import func, select, text

from api_gateway.history.database import Database, DatabaseUnavailable
from contract.errors import reason_of

SCRIPTS = "api_gateway.history:migrations"
_LOCK = 7_261_866_114
"""Of PostgreSQL's advisory locks; any number that nobody else takes."""


def migrate(database: Database) -> None:
    """Create or change tables until they are those of this release; does nothing where they are.

    Several gateways may do it at once: one works, the others wait and find it done. A failed migration leaves nothing.

    Raises:
        DatabaseUnavailable: the database cannot serve, or belongs to a newer release.
    """
    # Half of what a gateway would load before it can answer, and needed once, on the thread that opens the history.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    with database.writing() as connection:  # SQLite's lock on writing is taken with it
        if database.kind == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))  # an index over a week takes its time
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise DatabaseUnavailable(reason_of(error)) from None
