"""A database: where it is, how its connections are set up, and what its errors mean to us.

    with database.reading() as connection: ...     many at once
    with database.writing() as connection: ...     one transaction, committed at the end

SQLite: WAL, foreign keys on, waits 5 s for a lock, synchronous FULL (OFF where a replay can
be run again). `sqlite://` is a database in memory, one connection that all share in turn.
An error leaves as StoreUnavailable (nothing is known to be written), Conflict (the key exists)
or InvariantBroken (the database refused what must never be). Messages never show a password.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from dynamic.errors import Conflict, DynamicError, InvariantBroken, Refused, StoreUnavailable

BUSY_MS: Final = 5_000
# Error codes of our PostgreSQL guards; constraint classes 23xxx are the database's own.
_OURS: Final = ("DY001", "DY002", "DY003", "DY004", "DY005")


class Database:
    """One database, by URL: sqlite:///file, sqlite:// or postgresql://..."""

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self.url = _parsed(url)
        self.durable = durable
        self.on_sqlite = self.url.get_backend_name() == "sqlite"
        self.in_memory = self.on_sqlite and self.url.database in {None, "", ":memory:"}
        self.name = self.url.render_as_string(hide_password=True)
        # In memory there is one connection: whoever uses it holds this lock.
        self._turn = threading.RLock()
        self._writer = self._engine(immediate=True)
        self._reader = self._writer if self.in_memory else self._engine(immediate=False)

    @property
    def file(self) -> Path | None:
        """The file of a SQLite database, None for others."""
        if not self.on_sqlite or self.in_memory:
            return None
        return Path(str(self.url.database))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection to read with."""
        if self.file is not None and not self.file.exists():
            raise StoreUnavailable(f"expected a database, found none at {self.name}")
        with self._taking_turns(), self.translated(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Lend a connection inside one transaction; an exception rolls it back."""
        with self._taking_turns(), self.translated(), self._writer.begin() as connection:
            yield connection

    def connect(self) -> Connection:
        """Open a connection for the single writer to keep."""
        with self.translated():
            return self._writer.connect()

    @contextmanager
    def transaction(self, connection: Connection) -> Iterator[Connection]:
        """Run one transaction on a kept connection."""
        with self._taking_turns(), self.translated():
            try:
                with connection.begin():
                    yield connection
            except BaseException:
                # SQLite leaves a transaction open whose COMMIT it refused.
                if not connection.closed and not connection.invalidated:
                    connection.connection.rollback()
                raise

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the database's errors into ours."""
        try:
            yield
        except SQLAlchemyError as error:
            raise self._meaning(error) from error

    def close(self) -> None:
        """Give every connection back."""
        self._reader.dispose()
        self._writer.dispose()

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        if not self.in_memory:
            yield
            return
        with self._turn:
            yield

    def _engine(self, *, immediate: bool) -> Engine:
        if not self.on_sqlite:
            engine = create_engine(self.url, pool_size=5, max_overflow=15, pool_pre_ping=True)
            if not self.durable:
                event.listen(engine, "connect", _postgresql_undurable)
            return engine
        arguments: dict[str, Any] = {"check_same_thread": False, "timeout": BUSY_MS / 1000}
        if self.in_memory:
            engine = create_engine(self.url, connect_args=arguments, poolclass=StaticPool)
        else:
            engine = create_engine(self.url, connect_args=arguments)
        synchronous = "FULL" if self.durable else "OFF"

        def connected(connection: sqlite3.Connection, _record: object) -> None:
            # We say BEGIN ourselves: the driver would commit before DDL, and begin too late.
            connection.isolation_level = None
            connection.create_function("dynamic_sha256", 1, _sha256, deterministic=True)
            for pragma in (
                f"busy_timeout = {BUSY_MS}", "journal_mode = WAL",
                f"synchronous = {synchronous}", "foreign_keys = ON", "trusted_schema = ON",
            ):  # fmt: skip
                connection.execute(f"PRAGMA {pragma}")

        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

        event.listen(engine, "connect", connected)
        event.listen(engine, "begin", begin)
        return engine

    def _meaning(self, error: SQLAlchemyError) -> DynamicError | InvariantBroken:
        cause = error.orig if isinstance(error, DBAPIError) else error
        code = str(getattr(cause, "sqlite_errorname", "") or getattr(cause, "sqlstate", "") or "")
        text = str(cause).strip().partition("\n")[0]
        if code in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "23505", "DY006"}:
            return Conflict(f"already stored: {text}")
        if code == "SQLITE_CONSTRAINT_TRIGGER" and text.startswith("duplicate"):
            return Conflict(f"already stored: {text}")
        if isinstance(error, IntegrityError) or code in _OURS or code.startswith("23"):
            return InvariantBroken(f"the database refused what must never be: {text}")
        return StoreUnavailable(f"{self.name} cannot be used: {text}; nothing was sent")


def _parsed(text: str) -> URL:
    try:
        url = make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise Refused("expected a database URL such as sqlite:///treasury.db") from error
    if backend in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite":
        return url.set(drivername="sqlite")
    raise Refused(f"expected a sqlite or postgresql URL, found {backend}")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _postgresql_undurable(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    connection.commit()
