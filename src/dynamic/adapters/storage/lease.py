"""The writer's lease: one process writes, and one that was replaced cannot.

    take      a lock the operating system or the server lets go when its holder dies
    fencing   a number that grows with every holder; each commit checks that it is still ours

The lock keeps a second writer out: SQLite locks a file beside the database, PostgreSQL a
session's advisory lock. No clock decides, so a killed process is followed at once and a slow
one never loses its lease. A holder cut off from its server is fenced: the next one has a
higher number, and the old one's commits are refused in the same transaction.
"""

import os
import socket
import sqlite3
from typing import Final

from sqlalchemy import Connection, text

from dynamic.adapters.storage.database import Database
from dynamic.errors import Conflict, StoreUnavailable

_ADVISORY: Final = 0x44594E414D4943  # "DYNAMIC"; advisory locks are per database
_CURRENT: Final = "SELECT fencing, owner FROM writer_lease WHERE name = 'writer'"


class WriterLease:
    """The right to write, held until `release` or the death of the process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: sqlite3.Connection | None = None
        self.fencing = 0
        self.owner = f"{socket.gethostname()}:{os.getpid()}"

    def lock(self, connection: Connection) -> None:
        """Keep every other writer out; Conflict where one is in."""
        if self._database.in_memory:
            return
        if self._database.on_sqlite:
            self._lock_file()
        elif not connection.scalar(text(f"SELECT pg_try_advisory_lock({_ADVISORY})")):
            connection.rollback()
            raise self._taken()
        connection.rollback()

    def fence(self, connection: Connection, now_s: int) -> None:
        """Write down that we hold it, under the next number. Needs the tables."""
        row = connection.execute(text(_CURRENT)).first()
        self.fencing = (row.fencing if row else 0) + 1
        connection.execute(
            text(
                "INSERT INTO writer_lease (name, fencing, owner, taken_at_s) "
                "VALUES ('writer', :fencing, :owner, :now_s) ON CONFLICT (name) DO UPDATE SET "
                "fencing = excluded.fencing, owner = excluded.owner, "
                "taken_at_s = excluded.taken_at_s"
            ),
            {"fencing": self.fencing, "owner": self.owner, "now_s": now_s},
        )

    def check(self, connection: Connection) -> None:
        """Raise Conflict where somebody has taken over; inside the transaction that writes."""
        lock = "" if self._database.on_sqlite else " FOR UPDATE"
        row = connection.exec_driver_sql(_CURRENT + lock).first()
        if row is None or row[0] != self.fencing:
            holder = row[1] if row else "nobody"
            raise Conflict(
                f"expected to be writer {self.fencing} of {self._database.name}, found {holder} "
                "in its place; nothing was written"
            )

    def release(self) -> None:
        """Let go of the file; a server lets go with the connection."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _lock_file(self) -> None:
        if self._file is not None:
            return
        path = f"{self._database.file}.writer"
        try:
            file = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"{path} cannot be opened: {error}") from error
        try:
            file.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            file.close()
            raise self._taken() from error
        self._file = file

    def _taken(self) -> Conflict:
        return Conflict(
            f"another process is writing to {self._database.name}; stop it first, or ask it "
            "through its API"
        )
