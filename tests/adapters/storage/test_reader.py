"""The questions of API and CLI."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dynamic.adapters.storage.reader import ReadStore
from dynamic.adapters.storage.store import SqlStore
from dynamic.ledger.book import Book
from dynamic.ledger.posting import capital_entry, yield_entry
from dynamic.planning.plan import PlanState
from dynamic.records import Batch, DecisionOutcome, NavRecord, OutcomeRecord, StepState
from tests.adapters.storage.records import (
    AT_S,
    decision,
    plan,
    plan_record,
    snapshot,
    step,
    tx_log,
    whole_batch,
)


def test_an_empty_store_answers_every_question(store: SqlStore) -> None:
    reader = store.reader()
    assert reader.latest_snapshot() is None
    assert reader.decisions() == []
    assert reader.decision("d") is None
    assert reader.plans() == []
    assert reader.plan("p") is None
    assert reader.nav_series() == []
    assert reader.latest_nav() is None
    assert reader.entries() == []
    assert list(reader.entry_records()) == []
    assert reader.balances() == {}
    assert reader.tx_logs() == []
    assert reader.state("none") is None
    assert reader.steps("p") == reader.outcomes("d") == reader.approvals("p") == []
    assert reader.verify_audit()["broken"] is None
    assert reader.linkage() == dict.fromkeys(reader.linkage(), 0)


def test_what_was_written_is_what_is_read(store: SqlStore) -> None:
    batch = whole_batch()
    store.commit(batch)
    reader = store.reader()
    latest = reader.latest_snapshot()
    assert latest == {
        "snapshot_id": "s1", "at_s": AT_S, "is_synthetic": False, "payload": {"BTC": 42},
    }  # fmt: skip
    assert reader.snapshot("s1") == latest
    found = reader.decision("d1")
    assert found is not None
    assert (found["confidence"], found["payload"]) == (0.75, {"x": 1})
    assert DecisionOutcome(found["outcome"]) is DecisionOutcome.PLANNED
    stored = reader.plan("p1")
    assert stored is not None
    assert stored["payload"]["legs"][0]["spend"] == ["wallet", "USDC"]
    assert reader.plan_record("p1") == batch.plans[0]
    assert reader.plan_record("p1").plan == plan()
    assert reader.approvals("p1")[0]["approved"] is True
    assert reader.steps("p1")[0]["state"] == "intended"
    assert reader.outcomes("d1") == reader.outcomes()
    assert reader.outcomes("d1")[0]["value_added_usd_micro"] is None
    assert tuple(reader.entry_records()) == tuple(batch.entries)
    assert reader.audit_events(2)[0]["payload"] == batch.audit[1].payload
    assert list(reader.audit_chain()) == batch.audit
    assert reader.state("signal") == '{"phase":"accumulation"}'
    nav = reader.latest_nav()
    assert nav is not None
    assert (nav["nav_usd_micro"], nav["payload"]) == (4 * 10**11, {"by": {}})


def test_pages_and_filters(store: SqlStore) -> None:
    names = [f"d{n}" for n in range(5)]
    store.commit(Batch(
        snapshots=[snapshot()],
        decisions=[decision(name, None) for name in names],
        entries=[
            capital_entry(AT_S, "c", "wallet", "USDC", 100),
            capital_entry(AT_S, "e", "wallet", "ETH", 100),
            yield_entry(AT_S, "y", "aave_v3", "USDC", 3),
        ],
        tx_logs=[tx_log(f"k{n}") for n in range(3)],
    ))  # fmt: skip
    reader = store.reader()
    assert [d["decision_id"] for d in reader.decisions(2, 1)] == ["d3", "d2"]
    assert reader.decisions(since_s=AT_S + 1) == []
    assert len(reader.decisions(since_s=AT_S)) == 5
    assert [e["ref"] for e in reader.entries()] == ["y", "e", "c"]
    assert [e["ref"] for e in reader.entries(limit=1, offset=1)] == ["e"]
    assert [e["ref"] for e in reader.entries(asset="USDC")] == ["y", "c"]
    assert [e["ref"] for e in reader.entries(account="assets:wallet")] == ["e", "c"]
    both = reader.entries(account="assets:wallet", asset="USDC")
    assert [e["ref"] for e in both] == ["c"]
    assert len(both[0]["postings"]) == 2
    assert [t["idempotency_key"] for t in reader.tx_logs(2)] == ["k2", "k1"]
    assert reader.tx_logs(ref_id="other") == []


def test_plans_by_state(store: SqlStore) -> None:
    store.commit(whole_batch())
    reader = store.reader()
    assert [p["plan_id"] for p in reader.plans(["pending_approval", "approved"])] == ["p1"]
    assert [p["plan_id"] for p in reader.plans([PlanState.PENDING_APPROVAL])] == ["p1"]
    assert reader.plans([PlanState.DONE]) == []
    assert len(reader.plans()) == 1


def test_a_thinned_series_keeps_its_ends(store: SqlStore) -> None:
    store.commit(Batch(navs=[NavRecord(n, n * 10, 0, n, 0, "{}") for n in range(1, 101)]))
    for count, max_points, expected in (
        (10, 2_000, 10),
        (10, 10, 10),
        (10, 9, 6),  # every second, and the last
        (11, 6, 6),
        (100, 10, 10),
        (5, 1, 2),
        (1, 5, 1),
    ):
        series = store.reader().nav_series(101 - count, 100, max_points)
        assert len(series) == expected
        assert (series[0]["at_s"], series[-1]["at_s"]) == (101 - count, 100)
        assert [row["at_s"] for row in series] == sorted(row["at_s"] for row in series)
    assert set(store.reader().nav_series()[0]) == {
        "at_s", "nav_usd_micro", "volatile_usd_micro", "high_water_usd_micro", "drawdown_bps",
        "payload",
    }  # fmt: skip
    inside = store.reader().nav_series(2, 99)
    assert [row["at_s"] for row in inside] == list(range(2, 100))


def test_thinned_snapshots_end_with_the_newest(store: SqlStore) -> None:
    store.commit(Batch(snapshots=[replace(snapshot(f"s{n}"), at_s=n) for n in range(1, 11)]))
    for count, points, kept in ((10, 10, 10), (10, 9, 5), (9, 4, 3), (3, 5, 3), (4, 1, 1)):
        found = [row["at_s"] for row in store.reader().snapshots(11 - count, points)]
        assert found == sorted(found)
        assert (len(found), found[-1]) == (kept, 10)
    assert store.reader().snapshots(11, 5) == []


def test_a_mark_of_the_same_instant_and_an_outcome_measured_later_replace(store: SqlStore) -> None:
    store.commit(whole_batch())
    store.commit(Batch(
        navs=[NavRecord(AT_S, 5, 1, 5, 2, "{}")],
        outcomes=[OutcomeRecord("d1", 30, AT_S, AT_S + 1, -7)],
    ))  # fmt: skip
    nav = store.reader().latest_nav()
    assert nav is not None
    assert nav["nav_usd_micro"] == 5
    assert store.reader().outcomes("d1")[0]["value_added_usd_micro"] == -7
    assert store.reader().counts()["nav_history"] == 1


@pytest.mark.req("LG-05", "PM-03")
def test_sums_equal_the_book(store: SqlStore) -> None:
    entries = [capital_entry(n, f"c{n}", "wallet", "USDC", 2**200 + n) for n in range(1, 30)]
    store.commit(Batch(entries=entries))
    assert store.reader().balances() == Book.of(entries).balances
    assert store.reader().balances() == Book.of(store.reader().entry_records()).balances


@pytest.mark.req("LG-04", "MI-24", "PE-15")
def test_anti_joins_find_what_is_not_linked(store: SqlStore) -> None:
    store.commit(whole_batch())
    reader = store.reader()
    assert reader.linkage() == {
        "decisions_without_snapshot": 0, "decisions_without_plan": 0, "plans_without_decision": 0,
        "steps_without_plan": 0, "settled_steps_without_entry": 0,
        "executed_without_proposed": 0,
    }  # fmt: skip
    store.commit(Batch(
        decisions=[decision("d2", "p-never-written")],
        steps=[step(StepState.SETTLED, "p1:2")],
        tx_logs=[tx_log("late", "executed"), tx_log("k9", "proposed")],
    ))  # fmt: skip
    found = reader.linkage()
    assert found["decisions_without_plan"] == 1
    assert found["settled_steps_without_entry"] == 1
    assert found["executed_without_proposed"] == 0


@pytest.mark.req("PE-15")
def test_an_executed_row_without_an_earlier_proposed_one_is_found(store: SqlStore) -> None:
    store.commit(Batch(tx_logs=[tx_log("a", "executed"), tx_log("b", "proposed")]))
    assert store.reader().linkage()["executed_without_proposed"] == 1
    store.commit(Batch(tx_logs=[replace(tx_log("c", "settled"), ref_id="elsewhere")]))
    assert store.reader().linkage()["executed_without_proposed"] == 2


def test_a_second_process_may_read_while_one_writes(url: str) -> None:
    with SqlStore(url) as store:
        reader = ReadStore.open(url)
        store.commit(whole_batch())
        assert reader.counts()["entries"] == 2
        with store.database.transaction(store._connected()) as connection:
            connection.exec_driver_sql("UPDATE engine_state SET payload = 'not committed'")
            assert reader.state("lots") == "{}"
            connection.rollback()
        reader.close()


def test_plan_records_are_oldest_first(store: SqlStore) -> None:
    store.commit(Batch(
        snapshots=[snapshot()], decisions=[decision()],
        plans=[plan_record(), plan_record(name="p0"), plan_record(PlanState.DONE, "p2")],
    ))  # fmt: skip
    pending = store.reader().plan_records([PlanState.PENDING_APPROVAL])
    assert [record.plan.plan_id for record in pending] == ["p0", "p1"]
