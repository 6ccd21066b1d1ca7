"""Bringing a database to the tables this program needs, and back.

    upgrade   forward to HEAD, in one transaction; a database of a later program is refused
    downgrade back to a revision; below 0001 nothing is left

Alembic is loaded only where there is something to do. The caller holds the writer's lock.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from dynamic.adapters.storage.database import Database
from dynamic.adapters.storage.migrations import HEAD
from dynamic.errors import StoreUnavailable


def revision(connection: Connection) -> str | None:
    """Return the revision a database is at, None where it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def require_head(connection: Connection) -> None:
    """Raise StoreUnavailable where the tables are not the ones this program knows."""
    found = revision(connection)
    if found != HEAD:
        raise StoreUnavailable(
            f"expected a database at revision {HEAD}, found {found or 'no tables'}; "
            "start the treasury once to upgrade it"
        )


def upgrade(database: Database) -> None:
    """Bring the database to HEAD, all or nothing."""
    with database.writing() as connection:
        found = revision(connection)
        if found == HEAD:
            return
        if found is not None and found > HEAD:
            raise StoreUnavailable(
                f"expected a database at revision {HEAD} or before, found {found}: "
                "it belongs to a later version of this program"
            )
        _run(connection, "upgrade", HEAD)


def downgrade(database: Database, to: str = "base") -> None:
    """Take the database back to an earlier revision, all or nothing; data may be lost."""
    with database.translated(), database.connect() as connection:
        if database.on_sqlite:
            # Dropping a table empties it first; the circle of entry and seal would object.
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            _run(connection, "downgrade", to)
            connection.commit()
        finally:
            connection.rollback()
            if database.on_sqlite:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA foreign_keys = ON")


def _run(connection: Connection, direction: str, to: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    (command.upgrade if direction == "upgrade" else command.downgrade)(config, to)
