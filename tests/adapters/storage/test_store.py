"""The store's contract, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamic.adapters.storage.group import GroupCommit
from dynamic.adapters.storage.plan_json import plan_from_json, plan_to_json
from dynamic.adapters.storage.reader import ReadStore
from dynamic.adapters.storage.store import SqlStore
from dynamic.errors import Conflict, InvariantBroken, NotFound, Refused, StoreUnavailable
from dynamic.ledger.audit import GENESIS, AuditChain
from dynamic.ledger.book import Book
from dynamic.ledger.posting import capital_entry, yield_entry
from dynamic.planning.plan import PlanState
from dynamic.records import ApprovalRecord, Batch, NavRecord, StepState
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


@pytest.mark.req("PM-03", "PM-09", "C-43")
def test_pm_state_roundtrip(url: str) -> None:
    """A process that opens the store finds what the last one wrote, all of it."""
    chain = AuditChain()
    batch = whole_batch(chain)
    with SqlStore(url) as store:
        empty = store.recover()
        assert (empty.audit_seq, empty.audit_hash, empty.balances) == (0, GENESIS, {})
        store.commit(batch)
    with SqlStore(url) as store:
        found = store.recover()
        assert (found.audit_seq, found.audit_hash) == (chain.seq, chain.head)
        assert found.states == {"signal": '{"phase":"accumulation"}', "lots": "{}"}
        assert found.balances == Book.of(batch.entries).balances
        assert found.open_plans == tuple(batch.plans)
        assert found.plan_steps == tuple(batch.steps)
        assert found.approvals == tuple(batch.approvals)
        # And it goes on from there.
        store.commit(Batch(
            audit=[chain.append(AT_S + 1, "cycle", "engine", {})],
            steps=[step(StepState.SETTLED)], plans=[plan_record(PlanState.DONE)],
            entries=[yield_entry(AT_S + 1, "y", "wallet", "USDC", 1)],
            states={"lots": '{"a":1}'},
        ))  # fmt: skip
        after = store.recover()
        assert after.open_plans == ()
        assert after.plan_steps == ()
        assert after.states["lots"] == '{"a":1}'
        assert after.balances["assets:wallet", "USDC"] == 4 * 10**11 - 10**9 + 1


def test_open_plans_come_oldest_first_with_each_step_s_last_line(store: SqlStore) -> None:
    older = replace(plan_record(PlanState.EXECUTING, "pz", "d2"), plan=replace(
        plan("pz", "d2"), created_at_s=AT_S - 5))  # fmt: skip
    store.commit(Batch(
        snapshots=[snapshot()], decisions=[decision(), decision("d2", "pz")],
        plans=[plan_record(), older],
        steps=[
            step(StepState.INTENDED, "pz:1", "pz"), step(StepState.SETTLED, "pz:1", "pz"),
            step(StepState.INTENDED, "pz:2", "pz"),
        ],
    ))  # fmt: skip
    found = store.recover()
    assert [record.plan.plan_id for record in found.open_plans] == ["pz", "p1"]
    assert [(s.step_key, s.state) for s in found.plan_steps] == [
        ("pz:1", StepState.SETTLED), ("pz:2", StepState.INTENDED),
    ]  # fmt: skip


@pytest.mark.req("PE-25", "LG-02")
def test_pe_idempotent(store: SqlStore) -> None:
    """The same tx_logs key and the same snapshot, written twice, are one row each."""
    store.commit(Batch(snapshots=[snapshot()], tx_logs=[tx_log(), tx_log()]))
    before = store.reader().tx_logs()
    store.commit(Batch(snapshots=[snapshot()], tx_logs=[tx_log(), tx_log("k2")]))
    counts = store.reader().counts()
    assert (counts["market_snapshots"], counts["tx_logs"]) == (1, 2)
    assert store.reader().tx_logs()[1:] == before
    with pytest.raises(Conflict, match="another content"):
        store.commit(Batch(tx_logs=[tx_log(amount=1)]))
    with pytest.raises(InvariantBroken, match="two tx_logs under one key"):
        store.commit(Batch(tx_logs=[tx_log("k3"), tx_log("k3", amount=1)]))
    with pytest.raises(InvariantBroken, match="content of a snapshot is fixed"):
        store.commit(Batch(snapshots=[snapshot(payload='{"BTC":43}')]))
    assert store.reader().counts() == counts


@pytest.mark.req("I-3", "LG-03")
def test_what_is_stored_is_not_stored_again_and_nothing_beside_it(store: SqlStore) -> None:
    store.commit(whole_batch())
    counts, states = store.reader().counts(), store.reader().states()
    for batch in (
        Batch(decisions=[decision()]),
        Batch(audit=whole_batch().audit),
        Batch(audit=whole_batch().audit[:1]),
        Batch(entries=whole_batch().entries),
        Batch(steps=[step(StepState.INTENDED)]),
        Batch(approvals=[ApprovalRecord("p1", "ab" * 32, "alice", False, "", AT_S)]),
        replace_entry(),
    ):
        batch.states["signal"] = "half-done"
        batch.navs.append(NavRecord(AT_S + 9, 1, 1, 1, 1, "{}"))
        with pytest.raises(Conflict, match="already stored"):
            store.commit(batch)
        assert store.reader().counts() == counts
        assert store.reader().states() == states
    # A refusal leaves the store usable.
    store.commit(Batch(entries=[yield_entry(AT_S, "y", "wallet", "USDC", 1)]))


def replace_entry() -> Batch:
    """Another entry for a cause that is booked."""
    entry = whole_batch().entries[1]
    return Batch(entries=[replace(entry, entry_id="trade:another")])


@pytest.mark.req("LG-04", "MI-24")
def test_a_record_that_refers_to_nothing_is_refused(store: SqlStore) -> None:
    for batch in (
        Batch(decisions=[decision(snapshot="nowhere")]),
        Batch(plans=[plan_record(decision="nowhere")]),
        Batch(steps=[step(StepState.INTENDED, plan_id="nowhere")]),
        Batch(approvals=[ApprovalRecord("nowhere", "", "alice", True, "", AT_S)]),
    ):
        with pytest.raises(InvariantBroken, match="must never be"):
            store.commit(batch)
    assert sum(store.reader().counts().values()) == 1  # the lease


def test_a_step_ends_once(store: SqlStore) -> None:
    store.commit(whole_batch())
    store.commit(Batch(steps=[step(StepState.SETTLED)]))
    for end in (StepState.REVERTED, StepState.ABANDONED, StepState.SETTLED):
        with pytest.raises(Conflict):
            store.commit(Batch(steps=[step(end)]))


def test_a_plan_changes_its_state_and_nothing_else(store: SqlStore) -> None:
    store.commit(whole_batch())
    store.commit(Batch(plans=[plan_record(PlanState.APPROVED)]))
    other = replace(plan_record(), plan=replace(plan(), gross_usd_micro=1))
    with pytest.raises(InvariantBroken, match="content of a plan is fixed"):
        store.commit(Batch(plans=[other]))
    store.commit(Batch(plans=[plan_record(PlanState.REJECTED)]))
    with pytest.raises(InvariantBroken, match="end of a plan is final"):
        store.commit(Batch(plans=[plan_record(PlanState.APPROVED)]))
    assert store.reader().plan_record("p1").state is PlanState.REJECTED


def test_a_plan_survives_its_json() -> None:
    assert plan_from_json(plan_to_json(plan())) == plan()
    with pytest.raises(InvariantBroken):
        plan_from_json("{}")
    with pytest.raises(InvariantBroken):
        plan_from_json("nonsense")


@pytest.mark.req("PM-06", "C-12")
@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(units=st.integers(1, 2**255) | st.sampled_from((1, 2**63 - 1, 2**63, 2**255)))
def test_amounts_are_exact_to_two_to_the_255(store: SqlStore, units: int) -> None:
    before = store.recover().balances.get(("assets:wallet", "BIG"), 0)
    ref = f"r{store.reader().counts()['entries']}"
    store.commit(Batch(entries=[capital_entry(AT_S, ref, "wallet", "BIG", units)]))
    entry = store.reader().entries(limit=1)[0]
    assert sorted(p["base_units"] for p in entry["postings"]) == [-units, units]
    assert store.recover().balances["assets:wallet", "BIG"] == before + units


def test_batches_in_groups_become_the_same_rows(url: str, tmp_path) -> None:
    chain, other = AuditChain(), AuditChain()
    first, single = whole_batch(chain), whole_batch(other)
    rest = [
        Batch(
            audit=[chain.append(AT_S + n, "cycle", "engine", {"n": n})],
            entries=[yield_entry(AT_S + n, f"y{n}", "wallet", "USDC", n)],
            navs=[NavRecord(AT_S + n, n, n, n, 0, "{}")],
            plans=[plan_record(PlanState.APPROVED if n < 7 else PlanState.EXECUTING)],
            tx_logs=[tx_log(f"g{n}")],
            states={"n": str(n), "lazy": lambda n=n: f"lazy {n}"},
        )
        for n in range(1, 8)
    ]
    with GroupCommit(SqlStore(url, durable=False), every=3) as group:
        for batch in [first, *rest]:
            group.commit(batch)
        assert group.reader().state("n") == "5"  # 8 batches: two whole groups, two in hand
        grouped = group.recover()
        counts = group.reader().counts()
        logs = group.reader().tx_logs()
    with SqlStore(f"sqlite:///{tmp_path / 'single.db'}", durable=False) as store:
        for batch in [single, *rest]:
            store.commit(batch)
        assert store.recover() == grouped
        assert store.reader().counts() == counts
        assert store.reader().tx_logs() == logs
    assert grouped.states["lazy"] == "lazy 7"


def test_a_group_that_fails_stays_and_a_group_of_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="at least one"):
        GroupCommit(SqlStore("sqlite://"), every=0)
    with SqlStore(url) as store:
        group = GroupCommit(store, every=10)
        group.commit(Batch(plans=[plan_record()]))
        with pytest.raises(InvariantBroken):
            group.flush()
        group.commit(Batch(snapshots=[snapshot()], decisions=[decision()]))
        group.flush()
        group.flush()
        assert store.reader().counts()["plans"] == 1


def test_threads_that_commit_are_served_in_turn(store: SqlStore) -> None:
    def work(name: str) -> None:
        for n in range(10):
            ref = f"{name}-{n}"
            store.commit(Batch(entries=[capital_entry(AT_S, ref, "wallet", "USDC", 1)]))
            assert store.reader().balances()["assets:wallet", "USDC"] > n

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.reader().balances()["assets:wallet", "USDC"] == 40
    assert len(list(store.reader().entry_records())) == 40


def test_a_database_in_memory_is_a_store_too() -> None:
    with SqlStore("sqlite://") as store:
        store.commit(whole_batch())
        assert store.recover().audit_seq == 3
        assert store.reader().verify_audit()["broken"] is None


@pytest.mark.parametrize("bad", ["mysql://x/y", "nonsense", "", "sqlite", "postgresql+asyncpg:/"])
def test_another_kind_of_url_is_refused(bad: str) -> None:
    with pytest.raises(Refused):
        SqlStore(bad)


@pytest.mark.req("LG-09")
def test_lg_redaction_a_password_in_the_url_reaches_no_message() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        SqlStore("postgresql://alice:canary-5ecret@127.0.0.1:1/none?connect_timeout=1")
    assert "canary-5ecret" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


def test_a_missing_or_foreign_file_is_one_clear_line(tmp_path) -> None:
    with pytest.raises(StoreUnavailable, match="found none"):
        ReadStore.open(f"sqlite:///{tmp_path / 'none.db'}")
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(StoreUnavailable):
        SqlStore(f"sqlite:///{tmp_path / 'no' / 'such' / 'dir.db'}")
    (tmp_path / "junk.db").write_text("not a database, but long enough to be taken for one" * 99)
    with pytest.raises(StoreUnavailable, match="not a database"):
        SqlStore(f"sqlite:///{tmp_path / 'junk.db'}")
    with pytest.raises(NotFound):
        SqlStore("sqlite://").reader().plan_record("none")
