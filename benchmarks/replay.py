"""Cycles a second of the whole pipeline over four years, beside two backtesters on one rule.

    python -m benchmarks.replay [--peer-python PATH] [--first 2018-01-01 --last 2021-12-31]

Each run is a process of its own, three of each, the median counts. Ours is everything: observe,
estimate, size, judge, plan, carry out, book, mark, attribute, audit chain, SQLite. The peers
follow the same ladder weights on the same daily prices, with weekly rebalancing and a 5 % band,
and keep no books: see peer_bt.py and peer_cvxportfolio.py. A peer that is not installed is
named in the report, never left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import ROOT, machine, market, median, peak_rss_mb
from dynamic.adapters.mandate_file import read_mandate
from dynamic.simulation.replay import Span
from dynamic.trading.replaying import Course, checked_span, run
from dynamic.units import BPS, DAY_S, iso, parse_instant
from dynamic.workflows.treasury_cycle import CycleReport

FIRST, LAST = "2018-01-01", "2021-12-31"
PEERS = ("bt", "cvxportfolio")
RUNS = 3
COST_BPS = 30


def course(first: str, last: str) -> tuple[Course, str]:
    """Return what is lived through: recorded years, or as much of the sample."""
    mandate = read_mandate().under("replay")
    feed, source = market(mandate)
    if source.startswith("recorded"):
        span = checked_span(feed, parse_instant(first), parse_instant(last), DAY_S)
    else:
        span = Span(*feed.span())
    return Course(feed, span, mandate), source


def once(first: str, last: str) -> dict[str, object]:
    """Live through it once, in this process."""
    lives, source = course(first, last)
    spent: list[float] = []
    begun = time.perf_counter()
    outcome = run(lives, lambda _: spent.append(time.process_time()))
    wall = time.perf_counter() - begun
    cycles = len(spent)
    cpu = (spent[-1] - spent[0]) * cycles / (cycles - 1)  # of the cycles, without the opening
    return {
        "cycles": cycles, "seconds": outcome.seconds, "seconds_with_opening": wall,
        "cpu_seconds": cpu, "peak_rss_mb": peak_rss_mb(), "market": source,
        "state_hash": outcome.state_hash,
    }  # fmt: skip


def write_table(path: Path, first: str, last: str) -> int:
    """Write the peers' table: date, prices, and the ladder's weights; return its days."""
    lives, _ = course(first, last)
    share = lives.mandate.treasury.tactical_bps / BPS / 2
    days = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["date", "btc", "eth", "w_btc", "w_eth"])

        def note(report: CycleReport) -> None:
            nonlocal days
            prices, ladder = report.view.prices, report.signal.ladder_bps / BPS
            if "BTC" in prices and "ETH" in prices:
                btc, eth = prices["BTC"] / 1e6, prices["ETH"] / 1e6
                table.writerow([iso(report.at_s)[:10], btc, eth, share * ladder, share * ladder])
                days += 1

        run(lives, note)
    return days


def peer(name: str, python: str, table: Path) -> dict[str, object]:
    """Run one peer three times in processes of their own."""
    found = []
    for _ in range(RUNS):
        ran = subprocess.run(
            [python, str(ROOT / "benchmarks" / f"peer_{name}.py"), str(table), str(COST_BPS)],
            capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip
        if ran.returncode == 3:
            return {
                "installed": False,
                "say": "install the dependency group: uv sync --group bench",
            }
        if ran.returncode != 0:
            return {"installed": True, "failed": ran.stderr.strip().splitlines()[-1:]}
        found.append(json.loads(ran.stdout.splitlines()[-1]))
    days = found[0]["days"]
    return {
        "installed": True,
        "version": found[0]["version"],
        "days": days,
        "rebalances": found[0]["rebalances"],
        "end_value": found[0]["end_value"],
        "steps_per_second": median([days / f["seconds"] for f in found]),
        "steps_per_cpu_second": median([days / f["cpu_seconds"] for f in found]),
        "peak_rss_mb": median([f["peak_rss_mb"] for f in found]),
    }


def ours(first: str, last: str) -> dict[str, object]:
    """Run ours three times in processes of their own."""
    found = []
    for _ in range(RUNS):
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.replay", "--once", "--first", first, "--last", last],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found.append(json.loads(ran.stdout))
    assert len({f["state_hash"] for f in found}) == 1, "the same course ended in two states"
    return {
        "market": found[0]["market"],
        "cycles": found[0]["cycles"],
        "cycles_per_second": median([f["cycles"] / f["seconds"] for f in found]),
        "cycles_per_cpu_second": median([f["cycles"] / f["cpu_seconds"] for f in found]),
        "seconds_with_opening": median([f["seconds_with_opening"] for f in found], 2),
        "peak_rss_mb": median([f["peak_rss_mb"] for f in found]),
        "state_hash": found[0]["state_hash"],
    }


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--first", default=FIRST)
    parser.add_argument("--last", default=LAST)
    parser.add_argument("--once", action="store_true", help="one run of ours in this process")
    parser.add_argument("--peer-python", default=sys.executable, help="where the peers live")
    chosen = parser.parse_args()
    if chosen.once:
        print(json.dumps(once(chosen.first, chosen.last)))
        return 0
    report: dict[str, object] = {"machine": machine()}
    mine = ours(chosen.first, chosen.last)
    report["dynamic"] = mine
    with tempfile.TemporaryDirectory(prefix="dynamic-bench-") as home:
        table = Path(home) / "daily.csv"
        write_table(table, chosen.first, chosen.last)
        for name in PEERS:
            found = peer(name, chosen.peer_python, table)
            report[name] = found
            for unit in ("second", "cpu_second"):
                steps = found.get(f"steps_per_{unit}")
                if isinstance(steps, float):
                    cycles = mine[f"cycles_per_{unit}"]
                    assert isinstance(cycles, float)
                    report[f"dynamic_to_{name}_per_{unit}"] = round(cycles / steps, 2)
    report["machine_after"] = machine()
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
