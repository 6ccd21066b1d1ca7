"""One history, forward and back, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

import dynamic.adapters.storage.migrate as migrate_module
from dynamic.adapters.storage.database import Database
from dynamic.adapters.storage.migrate import downgrade, revision, upgrade
from dynamic.adapters.storage.migrations import HEAD
from dynamic.adapters.storage.reader import ReadStore
from dynamic.adapters.storage.schema import METADATA
from dynamic.adapters.storage.store import SqlStore
from dynamic.errors import StoreUnavailable
from tests.adapters.storage.records import whole_batch


def shape(database: Database) -> dict[str, list[tuple[str, str, bool]]]:
    with database.reading() as connection:
        inspector = inspect(connection)
        return {
            table: [
                (c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)
            ]
            for table in inspector.get_table_names()
        }


def guards(database: Database) -> list[str]:
    query = (
        "SELECT sql FROM sqlite_master WHERE type = 'trigger'"
        if database.on_sqlite
        else "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
    )
    with database.reading() as connection:
        return sorted(connection.exec_driver_sql(query).scalars())


@pytest.mark.req("LG-11")
def test_up_down_up(url: str) -> None:
    """With data in it; and the second time up gives exactly what the first time gave."""
    with SqlStore(url) as store:
        store.commit(whole_batch())
        first, first_guards = shape(store.database), guards(store.database)
    database = Database(url)
    downgrade(database, "0001")
    assert guards(database) == []
    assert shape(database) == first
    downgrade(database, "base")
    assert set(shape(database)) == {"alembic_version"}
    upgrade(database)
    assert shape(database) == first
    assert guards(database) == first_guards
    database.close()
    with SqlStore(url) as store:
        store.commit(whole_batch())
        assert store.reader().verify_audit()["broken"] is None


@pytest.mark.req("LG-11")
def test_the_guards_come_back_over_data(url: str) -> None:
    with SqlStore(url) as store:
        store.commit(whole_batch())
        kept = store.recover()
    database = Database(url)
    downgrade(database, "0001")
    upgrade(database)
    database.close()
    with SqlStore(url) as store:
        assert store.recover() == kept


@pytest.mark.req("LG-11")
def test_the_program_and_the_migrations_mean_the_same_tables(url: str) -> None:
    with SqlStore(url) as store:
        found = shape(store.database)
        with store.database.reading() as connection:
            assert revision(connection) == HEAD
            keys = {
                name: inspect(connection).get_pk_constraint(name)["constrained_columns"]
                for name in METADATA.tables
            }
    assert set(found) == {*METADATA.tables, "alembic_version"}
    for name, table in METADATA.tables.items():
        assert [(c, n) for c, _, n in found[name]] == [
            (c.name, bool(c.nullable)) for c in table.columns
        ]
        assert sorted(keys[name]) == sorted(c.name for c in table.primary_key)


@pytest.mark.req("LG-11")
def test_head_is_the_newest_script() -> None:
    config = Config()
    folder = Path(migrate_module.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_tables_of_another_version_are_one_clear_line(url: str) -> None:
    SqlStore(url).close()
    database = Database(url)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnavailable, match="belongs to a later version"):
        SqlStore(url)
    with pytest.raises(StoreUnavailable, match=r"expected a database at revision \d+, found 9999"):
        ReadStore.open(url)
    database.close()


def test_an_empty_database_is_not_read(url: str, tmp_path: Path) -> None:
    if url.startswith("sqlite"):
        (tmp_path / "treasury.db").touch()
    with pytest.raises(StoreUnavailable, match="found no tables"):
        ReadStore.open(url)


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 't.db'}"
    database = Database(url)
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE plans (odd INTEGER)")
    with pytest.raises(StoreUnavailable, match="plans already exists"):
        SqlStore(url)
    assert set(shape(database)) == {"plans"}
    database.close()
