"""The database: the only module that reads its URL, opens it, and defines what an outage of it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from contract import disk
from contract.errors import EmotiiError, SettingsError

CONNECTIONS = 4
"""One connection writes, the others serve requests."""
BUSY_SECONDS = 5.0
"""How long one process waits while another writes into the same SQLite file."""
STATEMENT_MS = 10_000
WRITES = "emotii_writes"
"""Execution option of connections that will write."""
NO_TRANSACTION = "emotii_no_transaction"
"""Execution option of connections for statements that SQLite refuses inside a transaction."""
_PAGES = "freelist_count", "page_count"

SETTING = "EMOTII_DATABASE_URL"
_POSTGRESQL_FULL = "53100"
_SQLITE_UNWRITABLE = ("SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")

_NO_URL = (
    "EMOTII_DATABASE_URL: not a URL of a database: write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; in a "
    "password, percent-encode / @ : # ? and %"
)


class DatabaseUnavailable(EmotiiError):  # noqa: N818 - as BrokerUnavailable
    """The database is unreachable or unavailable now; a retry may succeed."""


class DatabaseUnwritable(DatabaseUnavailable):
    """The disk of the database is full or cannot be written."""


class RowsRefused(EmotiiError):  # noqa: N818
    """The database works, but refuses a value of a row; a retry would fail again."""


class Database:
    """A database, connected at the first use, not before.

    Args:
        url: sqlite:///FILE (relative to the working directory; sqlite:////FILE is absolute) or postgresql://...

    Raises:
        SettingsError: the URL is none of these.
    """

    def __init__(self, url: str) -> None:
        self._url = _read(url)
        self.kind = self._url.get_backend_name()
        """`sqlite` or `postgresql`."""
        self.engine = _sqlite(self._url) if self.kind == "sqlite" else _postgresql(self._url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the data.

        Raises:
            DatabaseUnavailable: the database cannot serve.
        """
        with self._named(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: everything in it is written, or nothing.

        Raises:
            DatabaseUnavailable: the database cannot serve.
            RowsRefused: a value cannot be stored.
        """
        with self._named():
            self._make_folder()
            with self.engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
                yield connection

    @property
    def exists(self) -> bool:
        """Whether it may hold anything."""
        return self.kind != "sqlite" or Path(str(self._url.database)).exists()

    def scrub(self) -> None:
        """Remove the bytes of deleted rows from the files of SQLite; PostgreSQL removes them when it vacuums.

        Raises:
            DatabaseUnavailable: the database cannot serve, or somebody is reading what was deleted just now.
        """
        if self.kind != "sqlite":
            return
        with self._named(), self.engine.connect().execution_options(**{NO_TRANSACTION: True}) as connection:
            free, pages = (connection.exec_driver_sql(f"PRAGMA {one}").scalar_one() for one in _PAGES)
            if free * 2 > pages:  # only then, so that this is quick; it also returns the space
                connection.exec_driver_sql("VACUUM")
            blocked, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            if blocked:
                raise DatabaseUnavailable("another connection reads what is being erased")

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except DataError as error:
            raise RowsRefused(self._reason(error.orig)) from None
        except DBAPIError as error:
            if trouble := _disk_trouble(error.orig):
                raise DatabaseUnwritable(trouble) from None
            raise DatabaseUnavailable(self._reason(error.orig)) from None
        except OSError as error:  # of the folder
            raise DatabaseUnwritable(disk.trouble(SETTING, error)) from None
        except PoolTimeoutError as error:
            raise DatabaseUnavailable(self._reason(error)) from None

    def _reason(self, error: BaseException | None) -> str:
        """The error in one line without the password: the driver's message, since SQLAlchemy's quotes rows."""
        reason = " ".join(str(error).split()) or type(error).__name__
        if self._url.password:
            reason = reason.replace(str(self._url.password), "***")
        return reason[:300]

    def _make_folder(self) -> None:
        if self.kind == "sqlite" and self._url.database:
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)


def _disk_trouble(error: BaseException | None) -> str:
    """What a database says of its disk; empty if the error is another one."""
    name = str(getattr(error, "sqlite_errorname", ""))
    if disk.is_full(error) or getattr(error, "sqlstate", "") == _POSTGRESQL_FULL:
        return f"the disk of {SETTING} is full"
    return f"{SETTING} cannot be written: {error} ({name})" if name.startswith(_SQLITE_UNWRITABLE) else ""


def _read(url: str) -> URL:
    try:
        read = make_url(url)
    except (ArgumentError, ValueError):
        # Not the parser's message, which quotes the URL with its password.
        raise SettingsError(_NO_URL) from None
    backend = {"sqlite": "sqlite", "postgresql": "postgresql", "postgres": "postgresql"}.get(read.get_backend_name())
    if backend is None or (backend == "sqlite" and read.database in {None, "", ":memory:"}):
        raise SettingsError(_NO_URL)
    return read.set(drivername="sqlite+pysqlite" if backend == "sqlite" else "postgresql+psycopg")


def _sqlite(url: URL) -> Engine:
    engine = create_engine(
        url, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=BUSY_SECONDS, connect_args={"timeout": BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
        # The driver must not begin transactions: it would leave CREATE TABLE out of them.
        connection.isolation_level = None
        # Readers never wait for the writer; a crash of the machine can lose the last transactions, never the file.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA secure_delete=ON")  # deleted rows are overwritten

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at the beginning: a lock taken later is refused instead of waited for.
        options = connection.get_execution_options()
        if options.get(NO_TRANSACTION, False):
            return
        writes = options.get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    timeouts = {
        "connect_timeout": 3,
        # A server that is cut off is noticed after seconds, not after the 15 minutes of TCP.
        "tcp_user_timeout": 5000,
        "keepalives_idle": 3,
        "keepalives_interval": 1,
        "keepalives_count": 3,
    }
    engine = create_engine(
        url,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=BUSY_SECONDS,
        pool_pre_ping=True,
        connect_args={"application_name": "emotii", **timeouts},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401
        connection.execute(f"SET statement_timeout = {STATEMENT_MS}")
        connection.commit()

    return engine
