"""Paper store: the paper world's own SQLite file, apart from our books as a chain would be.

One transaction holds the effect and its receipt, so a process killed between the two never
leaves one without the other; a receipt's key is unique for ever. A second process on the
same file is noticed before each write, and its world is read first.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dynamic.errors import SourceUnavailable

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS world (id INTEGER PRIMARY KEY CHECK (id = 1), payload TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS receipts (key TEXT PRIMARY KEY, payload TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS flows (key TEXT PRIMARY KEY, payload TEXT NOT NULL) WITHOUT ROWID;
"""


class PaperStore:
    """Read and write the paper world."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        with _translated(path):
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=10
            )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._db.executescript(_SCHEMA)
        self._path = path
        self._version = self._data_version()

    def _data_version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def world(self) -> str | None:
        """Return the world's last state."""
        with _translated(self._path):
            row = self._db.execute("SELECT payload FROM world WHERE id = 1").fetchone()
            return None if row is None else str(row[0])

    def receipt(self, key: str) -> str | None:
        """Return what is written under a key, or None."""
        with _translated(self._path):
            row = self._db.execute("SELECT payload FROM receipts WHERE key = ?", (key,)).fetchone()
            return None if row is None else str(row[0])

    def has_flow(self, key: str) -> bool:
        """Return whether this flow of capital already happened."""
        with _translated(self._path):
            found = self._db.execute("SELECT 1 FROM flows WHERE key = ?", (key,)).fetchone()
            return found is not None

    @contextmanager
    def writing(self) -> Iterator[bool]:
        """Hold the write lock; yields True where another process wrote since we last looked."""
        with _translated(self._path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                version = self._data_version()
                changed, self._version = version != self._version, version
                yield changed
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def put_world(self, payload: str) -> None:
        """Replace the world's state; inside `writing`."""
        self._db.execute(
            "INSERT INTO world VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET payload = ?1",
            (payload,),
        )

    def put_receipt(self, key: str, payload: str) -> None:
        """Write a receipt once; inside `writing`. A second one under the key is an error."""
        self._db.execute("INSERT INTO receipts VALUES (?, ?)", (key, payload))

    def put_flow(self, key: str, payload: str) -> None:
        """Write a flow of capital once; inside `writing`."""
        self._db.execute("INSERT INTO flows VALUES (?, ?)", (key, payload))

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Say a database failure in our own words."""
    try:
        yield
    except sqlite3.Error as error:
        raise SourceUnavailable(f"the paper world {path} cannot be used: {error}") from error
