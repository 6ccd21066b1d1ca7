"""What the database itself refuses, to anyone, in plain SQL."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamic.adapters.storage.columns import OFFSET, units_from_text, units_text
from dynamic.adapters.storage.database import Database
from dynamic.adapters.storage.store import SqlStore
from dynamic.errors import Conflict, InvariantBroken, StoreUnavailable
from dynamic.ledger.audit import GENESIS, AuditChain, entry_digest, link_hash
from dynamic.ledger.posting import capital_entry
from dynamic.records import Batch
from tests.adapters.storage.records import AT_S, whole_batch

APPEND_ONLY = (
    "audit_events", "entries", "postings", "seals", "approvals", "steps", "tx_logs", "decisions",
)  # fmt: skip


def units_sql(database: Database, units: int) -> str:
    return f"'{units_text(units)}'" if database.on_sqlite else str(units)


def insert_entry(
    database: Database, seq: int, postings: Sequence[tuple[str, int]], *, seal: bool = True
) -> None:
    """One entry in raw SQL, as any client would write it."""
    with database.writing() as connection:
        run = connection.exec_driver_sql
        run(f"INSERT INTO entries VALUES ({seq}, 'e{seq}', 1, 'trade', '', 'r{seq}')")
        for line, (asset, units) in enumerate(postings):
            run(
                f"INSERT INTO postings VALUES ({seq}, {line}, 'assets:wallet', '{asset}', "
                f"{units_sql(database, units)})"
            )
        if seal:
            run(f"INSERT INTO seals VALUES ({seq}, {len(postings)})")


big = st.integers(-(2**255), 2**255)
legs = st.lists(st.tuples(st.sampled_from("AB"), big), min_size=1, max_size=6)


def balanced(drawn: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Close every asset with one more posting, split where it would not fit."""
    closed = list(drawn)
    for asset in sorted({asset for asset, _ in drawn}):
        total = sum(units for name, units in drawn if name == asset)
        half = total // 2
        closed += [(asset, -half), (asset, half - total)]
    return closed


once_each = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.req("LG-05", "I-1", "C-12")
@once_each
@given(drawn=legs, asset=st.sampled_from("AB"), off=st.sampled_from((1, -1)) | big)
def test_lg_balanced_by_the_database(
    store: SqlStore, drawn: list[tuple[str, int]], asset: str, off: int
) -> None:
    """Any balanced entry is accepted; the same, off by anything in any asset, is not."""
    database = store.database
    seq = store.reader().counts()["entries"] + 1
    entry = balanced(drawn)
    if off:
        with pytest.raises(InvariantBroken, match="does not balance"):
            insert_entry(database, seq, [*entry, (asset, off)])
    assert store.reader().counts()["entries"] == seq - 1
    insert_entry(database, seq, entry)
    assert store.reader().counts()["entries"] == seq


@pytest.mark.req("LG-05")
def test_two_assets_do_not_make_up_for_each_other(store: SqlStore) -> None:
    with pytest.raises(InvariantBroken, match="does not balance"):
        insert_entry(store.database, 1, [("A", 5), ("B", -5)])


@pytest.mark.req("LG-05")
def test_carries_between_limbs_are_counted(store: SqlStore) -> None:
    for seq, carry in enumerate((10**15, 10**30, 10**45, 10**60, 10**75), 1):
        for odd in (carry, -carry, carry - 1, 1):
            with pytest.raises(InvariantBroken, match="does not balance"):
                insert_entry(store.database, seq, [("A", carry), ("A", odd - carry)])
        insert_entry(store.database, seq, [("A", carry), ("A", 1 - carry), ("A", -1)])


@pytest.mark.req("LG-05")
def test_an_entry_without_a_seal_or_a_posting_is_not_committed(store: SqlStore) -> None:
    with pytest.raises(InvariantBroken):
        insert_entry(store.database, 1, [("A", 5), ("A", -5)], seal=False)
    with pytest.raises(InvariantBroken, match="does not balance"):
        insert_entry(store.database, 1, [])
    assert store.reader().counts()["postings"] == 0


@pytest.mark.req("LG-05", "I-3")
def test_a_sealed_entry_takes_no_further_posting_not_even_a_balanced_pair(
    store: SqlStore,
) -> None:
    database = store.database
    insert_entry(database, 1, [("A", 5), ("A", -5)])
    pair = ", ".join(
        f"(1, {line}, 'x', 'A', {units_sql(database, units)})" for line, units in ((7, 1), (8, -1))
    )
    with pytest.raises(InvariantBroken, match="sealed"), database.writing() as connection:
        connection.exec_driver_sql(f"INSERT INTO postings VALUES {pair}")
    assert store.reader().counts()["postings"] == 2


@pytest.mark.req("LG-03", "C-44")
def test_what_is_written_is_not_rewritten(store: SqlStore) -> None:
    store.commit(whole_batch())
    counts = store.reader().counts()
    for table in APPEND_ONLY:
        key = "entry_seq" if table in {"postings", "seals"} else "seq"
        attempts = [f"DELETE FROM {table}", f"UPDATE {table} SET {key} = {key}"]
        if not store.database.on_sqlite:
            attempts.append(f"TRUNCATE {table} CASCADE")
        for statement in attempts:
            with (
                pytest.raises(InvariantBroken, match="append-only"),
                store.database.writing() as connection,
            ):
                connection.exec_driver_sql(statement)
    assert store.reader().counts() == counts


@pytest.mark.req("LG-03")
def test_replace_is_no_way_around_the_guards(tmp_path: Path) -> None:
    """SQLite's REPLACE deletes without firing delete triggers."""
    path = tmp_path / "t.db"
    with SqlStore(f"sqlite:///{path}") as store:
        store.commit(whole_batch())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA foreign_keys = ON")
    for table in APPEND_ONLY:
        before = connection.execute(f"SELECT * FROM {table}").fetchall()
        for verb in ("INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE"):
            with pytest.raises(sqlite3.Error):
                connection.execute(f"{verb} INTO {table} SELECT * FROM {table} LIMIT 1")
        assert connection.execute(f"SELECT * FROM {table}").fetchall() == before
    for swap in (
        (
            "REPLACE INTO plans SELECT plan_id, decision_id, state, 'x', created_at_s, "
            "updated_at_s, expires_at_s, reason, payload FROM plans"
        ),
        (
            "REPLACE INTO market_snapshots SELECT snapshot_id, 7, is_synthetic, payload "
            "FROM market_snapshots"
        ),
    ):
        with pytest.raises(sqlite3.IntegrityError, match="fixed"):
            connection.execute(swap)
    connection.close()


@pytest.mark.req("LG-03")
def test_a_chain_only_continues(store: SqlStore) -> None:
    store.commit(whole_batch())
    seq, head = store.reader().audit_head()

    def event(seq: int, prev: str, text: str | None = None) -> str:
        link = link_hash(seq, prev, 1, "k", "a", "{}") if text is None else text
        return f"INSERT INTO audit_events VALUES ({seq}, 1, 'k', 'a', '{{}}', '{prev}', '{link}')"

    for statement in (event(seq + 2, head), event(seq + 1, GENESIS), event(seq, head)):
        with pytest.raises(Conflict), store.database.writing() as connection:
            connection.exec_driver_sql(statement)
    with (
        pytest.raises(InvariantBroken, match="not its own"),
        store.database.writing() as connection,
    ):
        connection.exec_driver_sql(event(seq + 1, head, "f" * 64))
    with store.database.writing() as connection:
        connection.exec_driver_sql(event(seq + 1, head))
    assert store.reader().verify_audit()["events"] == seq + 1


@pytest.mark.req("LG-05")
def test_a_foreign_sqlite_client_is_stopped_by_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    SqlStore(f"sqlite:///{path}").close()
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="foreign_keys"):
        connection.execute("INSERT INTO entries VALUES (1, 'e', 1, 'trade', '', 'r')")
    link = link_hash(1, GENESIS, 1, "k", "a", "{}")
    with pytest.raises(sqlite3.OperationalError, match="dynamic_sha256"):
        connection.execute(
            "INSERT INTO audit_events VALUES (1, 1, 'k', 'a', '{}', ?, ?)", (GENESIS, link)
        )
    connection.rollback()
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("BEGIN")
    connection.execute("INSERT INTO entries VALUES (1, 'e', 1, 'trade', '', 'r')")
    for line, units in enumerate((2**255, -(2**255) + 1)):
        connection.execute(
            "INSERT INTO postings VALUES (1, ?, 'x', 'A', ?)", (line, units_text(units))
        )
    with pytest.raises(sqlite3.IntegrityError, match="does not balance"):
        connection.execute("INSERT INTO seals VALUES (1, 2)")
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        connection.execute("COMMIT")
    connection.close()


@pytest.mark.req("PM-06")
@pytest.mark.parametrize("value", ["0.5", "1", "'5'", "'" + "9" * 79 + "'", "NULL", "1e30"])
def test_sqlite_keeps_base_units_in_its_own_form_only(tmp_path: Path, value: str) -> None:
    with SqlStore(f"sqlite:///{tmp_path / 't.db'}") as store:
        with pytest.raises(InvariantBroken), store.database.writing() as connection:
            connection.exec_driver_sql(f"INSERT INTO postings VALUES (1, 1, 'x', 'A', {value})")
        with pytest.raises(InvariantBroken), store.database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO nav_history VALUES (1, 0.5, 1, 1, 0, '{}')")


@pytest.mark.req("PM-06")
@given(st.lists(st.integers(-OFFSET, OFFSET - 1), min_size=2))
def test_the_text_of_base_units_sorts_as_they_do(amounts: list[int]) -> None:
    texts = [units_text(units) for units in amounts]
    assert all(len(text) == 79 for text in texts)
    assert [units_from_text(text) for text in texts] == amounts
    assert sorted(texts) == [units_text(units) for units in sorted(amounts)]


@pytest.mark.req("PM-06")
@pytest.mark.parametrize(
    ("value", "error"),
    [(1.0, TypeError), (True, TypeError), ("1", TypeError), (OFFSET, ValueError),
     (-OFFSET - 1, ValueError)],
)  # fmt: skip
def test_floats_bools_and_the_unimaginable_are_no_base_units(value: Any, error: type) -> None:
    with pytest.raises(error):
        units_text(value)


@pytest.mark.req("PM-06")
def test_no_money_column_is_a_float(store: SqlStore) -> None:
    """Every column of both databases; the only float is a decision's confidence."""
    query = (
        "SELECT m.name, p.name, p.type FROM sqlite_master m, pragma_table_info(m.name) p "
        "WHERE m.type = 'table'"
        if store.database.on_sqlite
        else "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'public'"
    )
    with store.database.reading() as connection:
        columns = connection.exec_driver_sql(query).all()
    floats = {
        (table, name)
        for table, name, kind in columns
        if any(word in kind.upper() for word in ("REAL", "FLOA", "DOUB"))
    }
    assert floats == {("decisions", "confidence")}
    kinds = {(table, name): kind.upper() for table, name, kind in columns}
    assert kinds["postings", "base_units"] in {"TEXT", "NUMERIC"}
    assert kinds["nav_history", "nav_usd_micro"] == "BIGINT"


@pytest.mark.req("LG-01")
def test_lg_tx_logs_shape(store: SqlStore) -> None:
    store.commit(whole_batch())
    row = store.reader().tx_logs()[0]
    assert {"id", "kind", "ref_id", "amount", "meta", "created_at"} <= set(row)
    assert {"idempotency_key", "status", "actor", "prev_hash", "hash"} <= set(row)
    assert (row["amount"], row["meta"], row["prev_hash"]) == (10**9, {"leg": 1}, GENESIS)


@pytest.mark.req("LG-03", "I-3")
def test_lg_tamper_in_the_database(tmp_path: Path) -> None:
    """On a copy with its guards torn out, every change is found and named."""
    path = tmp_path / "t.db"
    with SqlStore(f"sqlite:///{path}") as store:
        store.commit(whole_batch())
        assert store.reader().verify_audit() == {
            "holds": True, "entries": 0, "entries_broken": None,
            "events": 3, "head": store.reader().audit_head()[1], "broken": None,
            "tx_logs": 1, "tx_logs_broken": None,
        }  # fmt: skip
    for number, (statement, found) in enumerate(
        (
            ("UPDATE audit_events SET payload = '{}' WHERE seq = 2", (2, "altered payload")),
            ("UPDATE audit_events SET hash = 'f' WHERE seq = 2", (2, "altered hash")),
            ("UPDATE audit_events SET actor = 'eve' WHERE seq = 3", (3, "altered payload or hash")),
            ("DELETE FROM audit_events WHERE seq = 1", (1, "gap: the next event is 2")),
            ("UPDATE audit_events SET seq = 9 WHERE seq = 3", (3, "gap: the next event is 9")),
        )
    ):
        copy = tmp_path / f"copy{number}.db"
        shutil.copy(path, copy)
        tear_out_guards(copy, statement)
        with SqlStore(f"sqlite:///{copy}") as store:
            broken = store.reader().verify_audit()["broken"]
            assert (broken["seq"], broken["what"]) == found
    for number, statement in enumerate(
        (
            f"UPDATE tx_logs SET amount = '{units_text(5)}'",
            "UPDATE tx_logs SET status = 'executed'",
            "UPDATE tx_logs SET meta = '{}'",
        )
    ):
        copy = tmp_path / f"tx{number}.db"
        shutil.copy(path, copy)
        tear_out_guards(copy, statement)
        with SqlStore(f"sqlite:///{copy}") as store:
            assert store.reader().verify_audit()["tx_logs_broken"]["seq"] == 1


@pytest.mark.req("LG-03", "I-3")
@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE postings SET account = 'assets:curve' WHERE entry_seq = 2", "not what was booked"),
        (f"UPDATE postings SET base_units = '{units_text(7)}' WHERE line = 1", "not balance"),
        ("DELETE FROM entries WHERE seq = 1", "not in the books"),
        ("UPDATE entries SET entry_id = 'x' WHERE seq = 1", "not in the audit chain"),
        ("UPDATE postings SET asset = 'DAI' WHERE entry_seq = 1", "not what was booked"),
    ],
)
def test_the_books_hang_on_the_chain(tmp_path: Path, statement: str, what: str) -> None:
    """Even a change that still balances is found: each entry's digest is an audit event."""
    path = tmp_path / "t.db"
    chain = AuditChain()
    entries = [capital_entry(AT_S, f"f{n}", "wallet", "USDC", 5) for n in range(3)]
    notes = [
        chain.append(AT_S, "entry", "engine", {"entry": e.entry_id, "digest": entry_digest(e)})
        for e in entries
    ]
    with SqlStore(f"sqlite:///{path}") as store:
        store.commit(Batch(entries=entries, audit=notes))
        good = store.reader().verify_audit()
        assert (good["holds"], good["entries"]) == (True, 3)
    tear_out_guards(path, statement)
    with SqlStore(f"sqlite:///{path}") as store:
        found = store.reader().verify_audit()
        assert not found["holds"]
        assert found["broken"] is None
        assert what in found["entries_broken"]


@pytest.mark.req("LG-05")
def test_a_ledger_torn_open_is_not_added_up(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with SqlStore(f"sqlite:///{path}") as store:
        store.commit(Batch(entries=[capital_entry(AT_S, "f", "wallet", "USDC", 5)]))
    tear_out_guards(path, "DELETE FROM seals")
    with SqlStore(f"sqlite:///{path}") as store, pytest.raises(InvariantBroken, match="seal"):
        store.recover()


def tear_out_guards(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_full_disk_or_a_locked_file_is_the_store_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with SqlStore(f"sqlite:///{path}") as store:
        with store.database.transaction(store._connected()) as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        store._connected().exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        store._connected().rollback()
        huge = Batch(states={"big": "x" * 1_000_000})
        with pytest.raises(StoreUnavailable, match="full"):
            store.commit(huge)
        store._connected().exec_driver_sql("PRAGMA max_page_count = 1000000")
        store._connected().rollback()
        store.commit(huge)
