"""`dynamic replay`: its report, its look-ahead check, and files that are wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from dynamic.app.cli.output import Exit
from dynamic.units import DAY_S, iso, parse_instant
from tests.cli.conftest import Cli

SPAN = ("--sample", "7", "--start", "2021-01-01", "--end", "2021-03-31")
MEMBERS = {
    "start", "end", "cycles", "nav_usd", "total_return", "cagr", "sharpe", "max_drawdown",
    "volatile_share_max_after_trade", "trades", "turnover", "gas_usd", "approvals_needed",
    "denials", "benchmarks", "ledger", "attribution_residual_usd", "audit_head", "state_hash",
    "cycles_per_second", "peak_rss_mb",
}  # fmt: skip


def test_the_report_has_its_members_and_is_the_same_on_both_stores(
    cli: Cli, tmp_path: Path
) -> None:
    first = cli("replay", *SPAN, "--json", env={"PYTHONHASHSEED": "1"}, timeout=120).answer
    assert first.keys() >= MEMBERS
    assert first["benchmarks"].keys() == {"static_yield", "btc_hold", "static_60_40"}
    for each in first["benchmarks"].values():
        assert each.keys() == {"cagr", "max_drawdown", "sharpe"}
    assert first["ledger"]["balanced"] is True
    assert first["attribution_residual_usd"] == 0
    assert first["volatile_share_max_after_trade"] <= 0.4
    kept = cli(
        "replay", *SPAN, "--json", "--store", f"sqlite:///{tmp_path}/r.db",
        env={"PYTHONHASHSEED": "2"}, timeout=120,
    ).answer  # fmt: skip
    assert (kept["state_hash"], kept["audit_head"]) == (first["state_hash"], first["audit_head"])
    again = cli("replay", *SPAN, "--store", f"sqlite:///{tmp_path}/r.db")
    assert again.code == Exit.USAGE
    assert "expected an empty store" in again.line


def test_people_who_are_late_or_absent(cli: Cli) -> None:
    late = cli("replay", *SPAN, "--approver", "delay:6h", "--json", timeout=120).answer
    none = cli("replay", *SPAN, "--approver", "none", "--json", timeout=120).answer
    assert late["approvals_needed"] > 0
    assert late["cycles"] > none["cycles"]  # what was signed between two days was carried out then
    assert late["ledger"]["entries"] > none["ledger"]["entries"]


def test_nothing_looks_ahead(cli: Cli) -> None:
    ended = cli("replay", *SPAN, "--check-lookahead", "--json", timeout=120)
    assert ended.code == Exit.OK
    assert ended.answer["lookahead"] is False
    assert {cut["future"] for cut in ended.answer["cuts"]} == {"shuffle", "truncate"}


def test_compare_shows_all_sizings_side_by_side(cli: Cli) -> None:
    span = ("--sample", "7", "--start", "2021-01-01", "--end", "2021-01-20")
    found = cli("replay", *span, "--compare", "--json", timeout=120).answer
    assert [(f["mode"], f["has_memory"]) for f in found] == [
        (mode, memory) for memory in (True, False) for mode in ("ladder", "stages", "default")
    ]
    shown = cli("replay", *span, "--compare", timeout=120).err
    assert "drawdown" in shown
    assert "stages" in shown


class Files:
    """Small files of the right shape, each of which a test may spoil."""

    def __init__(self, home: Path, days: int = 60) -> None:
        self.home = home
        self.days = [iso(parse_instant("2020-01-01") + n * DAY_S)[:10] for n in range(days)]

    def write(self, name: str, header: str, rows: list[str]) -> Path:
        path = self.home / name
        with gzip.open(path, "wt") if name.endswith(".gz") else path.open("w") as file:
            file.write("\n".join([header, *rows]) + "\n")
        return path

    def arguments(self, **spoilt: list[str] | str) -> list[str]:
        onchain = [f"{d},{8_000 + n},{1.5e11 + n * 1e8},{1.0e11}" for n, d in enumerate(self.days)]
        ether = [f"{d},{150 + n}" for n, d in enumerate(self.days)]
        header = spoilt.get("header", "date,price_usd,market_cap_usd,realized_cap_usd")
        btc = self.write("btc.csv", str(header), list(spoilt.get("onchain", onchain)))
        eth = self.write("eth.csv.gz", "date,close", list(spoilt.get("ether", ether)))
        return ["--btc-onchain", str(btc), "--prices", f"eth={eth}"]


@pytest.mark.parametrize("fault", ["column", "gap", "duplicate", "future", "text", "empty"])
def test_a_file_that_is_wrong_is_one_line_and_code_5(cli: Cli, tmp_path: Path, fault: str) -> None:
    files = Files(tmp_path)
    ether = [f"{d},{150 + n}" for n, d in enumerate(files.days)]
    spoilt: dict[str, list[str] | str] = {
        "column": {"header": "date,price_usd,market_cap_usd,realised"},
        "gap": {"ether": ether[:20] + ether[21:]},
        "duplicate": {"ether": [*ether[:20], ether[19], *ether[20:]]},
        "future": {"ether": [*ether, "2199-01-01,1"]},
        "text": {"ether": [*ether[:-1], f"{files.days[-1]},cheap"]},
        "empty": {"ether": []},
    }[fault]
    ended = cli("replay", *files.arguments(**spoilt), "--json")
    assert ended.code == Exit.DATA_UNFIT
    assert ended.answer["exit_code"] == Exit.DATA_UNFIT
    assert "nothing was replayed" in ended.line
    named = {"column": "btc.csv", "empty": "price:ETH"}.get(fault, "eth.csv.gz")
    assert named in ended.line


def test_files_named_one_by_one(cli: Cli, tmp_path: Path) -> None:
    ended = cli("replay", *Files(tmp_path).arguments(), "--capital", "250000", "--json")
    assert ended.code == Exit.OK, ended.err
    assert 240_000 < float(ended.answer["nav_usd"]) < 260_000


@pytest.mark.slow
def test_recorded_history_replays(cli: Cli, history_dir: Path) -> None:
    found = cli(
        "replay", "--history", history_dir, "--from", "2021-01-01", "--to", "2021-06-30", "--json",
        timeout=120,
    )  # fmt: skip
    assert found.code == Exit.OK, found.err
    assert found.answer["ledger"]["balanced"] is True
