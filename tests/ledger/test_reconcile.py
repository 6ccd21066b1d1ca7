"""Reconciliation: one base unit is a difference, and a difference stops new risk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.ledger.reconcile import (
    NamedItem,
    Residue,
    reconcile,
)

places = st.tuples(st.sampled_from(("wallet", "aave_v3")), st.sampled_from(("USDC", "WBTC")))
holdings = st.dictionaries(places, st.integers(0, 10**30))


@pytest.mark.req("LG-08", "PM-08", "I-2")
@given(holdings, holdings)
def test_lg_reconcile(ledger: dict, observed: dict) -> None:
    found = reconcile(ledger, observed)
    odd = {p for p in {*ledger, *observed} if ledger.get(p, 0) != observed.get(p, 0)}
    assert {r.position for r in found.residues} == odd
    assert bool(found.residues) == bool(odd)
    named = [NamedItem(r.position, r.residue, "in flight") for r in found.residues]
    assert not reconcile(ledger, observed, named).residues


@pytest.mark.req("LG-08", "PM-08")
@pytest.mark.parametrize("off", [-1, 1])
def test_one_base_unit_is_a_residue(off: int) -> None:
    here = ("wallet", "USDC")
    assert not reconcile({here: 10**12}, {here: 10**12}).residues
    found = reconcile({here: 10**12}, {here: 10**12 + off})
    assert found.residues == (Residue(here, 10**12, 10**12 + off, 0, off),)
    assert found.residues
    assert f"residue {off} base units" in str(found.residues[0])


@pytest.mark.req("PM-08")
def test_pm_reconcile_a_chain_short_by_one_percent_is_a_residue() -> None:
    here = ("aave_v3", "USDC")
    found = reconcile({here: 1_000_000_000}, {here: 990_000_000})
    assert found.residues


def test_a_position_missing_on_either_side_is_zero_there() -> None:
    found = reconcile({("wallet", "A"): 1}, {("curve", "B"): 2})
    assert [(r.position, r.residue) for r in found.residues] == [
        (("curve", "B"), 2), (("wallet", "A"), -1),
    ]  # fmt: skip


def test_a_name_without_its_difference_is_a_residue_too() -> None:
    here = ("wallet", "A")
    found = reconcile({here: 5}, {here: 5}, [NamedItem(here, 3, "in flight")])
    assert found.residues[0].residue == -3
