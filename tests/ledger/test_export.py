"""Exports: an independent program adds our books up again."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamic.errors import InvariantBroken
from dynamic.ledger.book import Book
from dynamic.ledger.entry import Entry, EntryKind, Posting
from dynamic.ledger.export import (
    beancount_account,
    beancount_commodities,
    beancount_text,
    csv_text,
)
from dynamic.ledger.posting import capital_entry, realised_entry
from tests.ledger.ways import DECIMALS, entries_of, histories, swap


def bean_check(path: Path, text: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("bean-check") or str(Path(sys.executable).with_name("bean-check"))
    path.write_text(text, encoding="utf-8")
    return subprocess.run(
        [program, "--no-cache", str(path)], capture_output=True, text=True, timeout=60
    )


def sample() -> list[Entry]:
    return [
        capital_entry(1_700_000_000, "c", "wallet", "USDC", 400_000_000_000),
        swap(
            1_700_003_600, 'leg "1"\\', "oneinch", ("wallet", "USDC", 1_000_000_001),
            ("aave_v3", "stETH", 512_345_678_901_234_567), ("wallet", "USDC", 300_000),
        ),
        realised_entry(1_700_086_400, "day", -12),
    ]  # fmt: skip


DECIMALS_ALL = {**DECIMALS, "stETH": 18}


@pytest.mark.req("LG-05", "LG-08")
def test_bean_check_accepts_our_books_and_refuses_a_unit_off(tmp_path: Path) -> None:
    entries = sample()
    text = beancount_text(entries, DECIMALS_ALL, Book.of(entries).balances)
    good = bean_check(tmp_path / "books.beancount", text)
    assert (good.returncode, good.stdout + good.stderr) == (0, "")
    assert "-1000.000001 USDC" in text
    off = text.replace("-1000.000001 USDC", "-1000.000002 USDC", 1)
    bad = bean_check(tmp_path / "off.beancount", off)
    assert bad.returncode != 0
    assert "does not balance" in bad.stdout + bad.stderr


@pytest.mark.req("LG-08")
def test_a_wrong_closing_balance_is_refused(tmp_path: Path) -> None:
    entries = sample()
    balances = Book.of(entries).balances
    balances["assets:aave_v3", "stETH"] += 1
    bad = bean_check(tmp_path / "books.beancount", beancount_text(entries, DECIMALS_ALL, balances))
    assert bad.returncode != 0
    assert "Balance failed" in bad.stdout + bad.stderr


@pytest.mark.req("LG-05")
def test_a_long_random_ledger_passes_bean_check(tmp_path: Path) -> None:
    import random

    source = random.Random(7)
    history = [
        (
            source.choice(("capital", "swap", "transfer", "yield", "gas", "burn", "withdraw")),
            source.choice(("wallet", "aave_v3")), source.choice(("wallet", "curve", "pendle_v2")),
            source.choice(tuple(DECIMALS)), source.choice(tuple(DECIMALS)),
            source.randint(1, 10**20), source.randint(1, 10**20),
        )
        for _ in range(400)
    ]  # fmt: skip
    entries = entries_of(history)
    assert len(entries) > 200
    text = beancount_text(entries, DECIMALS, Book.of(entries).balances)
    checked = bean_check(tmp_path / "books.beancount", text)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@settings(max_examples=25)
@given(histories)
def test_the_csv_adds_up_to_the_book(history: list) -> None:
    entries = entries_of(history)
    sums: dict[tuple[str, str], int] = {}
    for row in csv.DictReader(io.StringIO(csv_text(entries, DECIMALS))):
        key = (row["account"], row["asset"])
        sums[key] = sums.get(key, 0) + int(row["base_units"])
        whole, _, part = row["amount"].partition(".")
        assert int(whole + part) == int(row["base_units"])
        assert len(part) == DECIMALS[row["asset"]]
    assert {key: units for key, units in sums.items() if units} == Book.of(entries).balances


@given(st.sets(st.text(max_size=8), max_size=6))
def test_commodities_are_legal_and_one_to_one(symbols: set[str]) -> None:
    import re

    names = beancount_commodities(symbols)
    assert len(set(names.values())) == len(symbols)
    for name in names.values():
        assert re.fullmatch(r"[A-Z][A-Z0-9'._-]*[A-Z0-9]", name)


def test_names_of_accounts_and_commodities() -> None:
    assert beancount_account("assets:aave_v3") == "Assets:Aave-v3"
    assert beancount_account("income:yield:curve") == "Income:Yield:Curve"
    assert beancount_account("expense:fees:oneinch") == "Expenses:Fees:Oneinch"
    assert beancount_account("trading:oneinch") == "Equity:Trading:Oneinch"
    assert beancount_account("equity:capital") == "Equity:Capital"
    assert beancount_commodities(["WBTC", "PT-USDC-20240628", "stETH", "STETH", "1INCH", "$"]) == {
        "WBTC": "WBTC", "PT-USDC-20240628": "PT-USDC-20240628", "STETH": "STETH",
        "stETH": "STETH-2", "1INCH": "X1INCH", "$": "XX",
    }  # fmt: skip


def test_an_asset_of_unknown_decimals_is_not_exported() -> None:
    with pytest.raises(InvariantBroken, match="decimals of stETH"):
        beancount_text(sample(), DECIMALS)


def test_a_cell_is_never_a_formula() -> None:
    entry = Entry(
        "=cmd", 1, EntryKind.CORRECTION, "@why, \"so\"", "+1",
        (Posting("assets:wallet", "USDC", -5), Posting("equity:correction", "USDC", 5)),
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(csv_text([entry], DECIMALS))))
    assert (rows[0]["entry_id"], rows[0]["ref"], rows[0]["narration"]) == (
        "'=cmd", "'+1", "'@why, \"so\"",
    )  # fmt: skip
    assert (rows[0]["base_units"], rows[0]["amount"]) == ("-5", "-0.000005")


def test_an_empty_ledger_is_an_empty_book(tmp_path: Path) -> None:
    assert bean_check(tmp_path / "e.beancount", beancount_text([], {})).returncode == 0
    assert csv_text([], {}).count("\n") == 1
