"""Kill -9 a treasury at random moments until it has lived its days, then count every effect.

    python -m benchmarks.kill9 --kills 200 --seed 7      JSON; exit 1 where anything is off

    zygote (all imported) --fork--> life: open store and venue, recover, go on   <--SIGKILL-- parent

Each life is a process of its own over two real files: the treasury's database and the paper
venue's. Most are killed somewhere in their work, some while they are still starting. What must
hold in the end: books equal the venue to the unit, every receipt of the venue is booked exactly
once, both hash chains hold, and the money is what it would be had nobody been killed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dynamic.adapters.mandate_file import read_mandate
from dynamic.adapters.storage.store import SqlStore
from dynamic.ledger.entry import EntryKind
from dynamic.planning.plan import PlanState
from dynamic.policy.mandate import Mandate
from dynamic.simulation.clock import ManualClock
from dynamic.simulation.sample import SampleFeed
from dynamic.trading.paper import AlwaysActive, PaperTreasury, compose, pay_in, warm_up
from dynamic.units import DAY_S
from dynamic.workflows.approve import Signature, sign
from dynamic.workflows.memory import Memory, recover
from dynamic.workflows.treasury_cycle import PASSES_MAX, run_cycle

START_DAY = 30  # of seed 1: accumulation, so that there is something to buy
PEOPLE = ("harness-ann", "harness-bob")
MOVES = {EntryKind.TRADE, EntryKind.DEPOSIT, EntryKind.WITHDRAW, EntryKind.REDEEM}


class NoDuty:
    """Nobody is on duty in a harness."""

    def alert(self, severity: str, code: str, message: str, at_s: int) -> None:
        """Say nothing."""


@dataclass
class Place:
    """One course: its market, its days, and the two files it leaves behind."""

    feed: SampleFeed
    mandate: Mandate
    days: int
    home: Path

    @property
    def first_s(self) -> int:
        return self.feed.span()[0] + START_DAY * DAY_S

    @property
    def last_s(self) -> int:
        return self.first_s + self.days * DAY_S

    @property
    def url(self) -> str:
        return f"sqlite:///{self.home / 'treasury.db'}"

    @property
    def venue_file(self) -> Path:
        return self.home / "venue.sqlite"

    def compose(self, store: SqlStore, clock: ManualClock) -> PaperTreasury:
        return compose(
            self.mandate, self.feed, store, clock, AlwaysActive(), NoDuty(), self.venue_file
        )


def money(memory: Memory, treasury: PaperTreasury) -> dict[str, Any]:
    """Return everything money depends on; a restart may differ in names and numbers of records."""
    lots, diary = memory.lots, memory.diary
    marks = memory.benchmarks
    return {
        "books": sorted((*place, units) for place, units in memory.position_units().items()),
        "venue": sorted(
            (*place, units)
            for place, units in treasury.venue.balances(treasury.io.clock.now_s()).items()
        ),
        "lots": {
            symbol: [(x.units, x.cost_usd_micro, x.acquired_at_s) for x in lots.lots(symbol)]
            for symbol in lots.assets()
        },
        "sizing": repr(memory.sizing),
        "open_plan": memory.plan is not None,
        "moves": sorted((m.at_s, m.direction, m.notional_usd_micro) for m in memory.past_moves),
        "nav": memory.last_nav_usd_micro,
        "benchmarks": None if marks is None else marks.payload(),
        "scaled": diary.scaled,
        "gas": diary.month_gas_usd_micro,
        "deployed": diary.base_deployed_at_s,
    }


def live(place: Place, ready: int | None = None) -> tuple[dict[str, Any], int]:
    """Go on from whatever the files say until the last day; return the money and the cycles run."""
    with SqlStore(place.url) as store:
        memory = recover(store.recover())
        diary = memory.diary
        at_s = diary.last_cycle_at_s or place.first_s
        clock = ManualClock(at_s)
        treasury = place.compose(store, clock)
        if ready is not None:
            os.write(ready, b"r")
        if diary.funded_at_s is None:
            warm_up(memory, place.feed, place.first_s - DAY_S, treasury.parameters)
            pay_in(treasury, memory, at_s)
        elif _is_over(memory, at_s):
            at_s += DAY_S
        cycles = 0
        while at_s <= place.last_s:
            clock.move_to(at_s)
            cycles += _day(memory, treasury, place)
            at_s += DAY_S
        found = money(memory, treasury)
        treasury.venue.close()
        return found, cycles


def _is_over(memory: Memory, at_s: int) -> bool:
    """Say whether the day's last cycle was closed before its process died.

    A signed day has two cycles: what was booked after the first one's mark asks for the second.
    """
    is_marked = memory.opening is not None and memory.opening.at_s == at_s
    return is_marked and memory.plan is None and not memory.posted


def _day(memory: Memory, treasury: PaperTreasury, place: Place) -> int:
    """Live one day: a cycle, and another where the harness's people have signed."""
    memory.diary.policy_signed_until_s = place.last_s + 90 * DAY_S
    cycles = 0
    if not _waits(memory):
        run_cycle(memory, treasury.io, treasury.mandate, treasury.parameters)
        cycles += 1
    if not _waits(memory):
        return cycles
    for name in PEOPLE:
        record = memory.plan
        if record is None or not _waits(memory):
            break
        if name not in {approval.operator for approval in memory.approvals}:
            answer = Signature(record.plan.plan_id, record.plan.digest, name, True, "harness")
            sign(answer, memory, treasury.io, treasury.mandate)
    run_cycle(memory, treasury.io, treasury.mandate, treasury.parameters)
    return cycles + 1


def _waits(memory: Memory) -> bool:
    return memory.plan is not None and memory.plan.state is PlanState.PENDING_APPROVAL


@dataclass
class Count:
    """What the harness has seen."""

    kills: int = 0
    kills_while_starting: int = 0
    courses: int = 0
    receipts: int = 0
    entries: int = 0
    audit_events: int = 0
    lost: int = 0
    doubled: int = 0
    faults: list[str] = field(default_factory=list)
    ready_s: list[float] = field(default_factory=list)


def one_life(place: Place, chance: random.Random, count: Count) -> bool:
    """Fork a life and kill it somewhere, unless it ends first; True where the course is over."""
    read_end, write_end = os.pipe()
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        _child(place, write_end)
    os.close(write_end)
    starting = chance.random() < 0.15
    if starting:
        time.sleep(chance.uniform(0.0, 0.05))
    else:
        os.read(read_end, 1)  # returns at once where the life has ended
        count.ready_s.append(time.monotonic() - begun)
        time.sleep(chance.uniform(0.0, 0.08))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(read_end)
    if os.WIFSIGNALED(status):
        count.kills += 1
        count.kills_while_starting += starting
        return False
    if os.WEXITSTATUS(status) != 0:
        count.faults.append(f"a life ended with {os.WEXITSTATUS(status)}")
    return True


def _child(place: Place, ready: int) -> None:
    """Live in the forked process; it never returns."""
    code = 1
    try:
        live(place, ready)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def check(place: Place, expected: dict[str, Any], count: Count) -> None:
    """Hold what a course left behind against every promise."""
    with SqlStore(place.url) as store:
        memory = recover(store.recover())
        treasury = place.compose(store, ManualClock(place.last_s))
        found = money(memory, treasury)
        reader = store.reader()
        evidence, linkage = reader.verify_audit(), reader.linkage()
        booked = Counter(e.ref for e in reader.entry_records() if e.kind in MOVES)
        gas = Counter(e.ref for e in reader.entry_records() if e.kind is EntryKind.GAS)
        entries = reader.counts()["entries"]
        treasury.venue.close()
    receipts = _receipts(place.venue_file)
    moved = {key for key, receipt in receipts.items() if not receipt[4]}
    burnt = {key for key, receipt in receipts.items() if receipt[8]}
    count.courses += 1
    count.receipts += len(receipts)
    count.entries += entries
    count.audit_events += evidence["events"]
    count.lost += len(moved - booked.keys()) + len(burnt - gas.keys())
    count.doubled += sum(n - 1 for n in (*booked.values(), *gas.values()))
    if booked.keys() - moved:
        count.faults.append(f"booked without a receipt: {sorted(booked.keys() - moved)}")
    if not _equal_but_last_units(found["books"], found["venue"]):
        count.faults.append(f"books {found['books']} are not the venue's {found['venue']}")
    if evidence["broken"] or evidence["tx_logs_broken"] or set(linkage.values()) != {0}:
        count.faults.append(f"evidence is broken: {evidence} {linkage}")
    for name, value in expected.items():
        if found[name] != value:
            count.faults.append(f"{name}: {value} without kills, {found[name]} with them")


def _equal_but_last_units(books: list[Any], venue: list[Any]) -> bool:
    """Compare; a pool may keep the last unit of each deposit until the next accrual books it."""
    ours, theirs = {(a, b): n for a, b, n in books}, {(a, b): n for a, b, n in venue}
    lent = ("aave_v3", "USDC")
    kept = ours.get(lent, 0) - theirs.get(lent, 0)
    return 0 <= kept <= PASSES_MAX and ours | {lent: 0} == theirs | {lent: 0}


def _receipts(path: Path) -> dict[str, list[Any]]:
    """Read the venue's own file: what it says it did."""
    db = sqlite3.connect(path)
    try:
        return {key: json.loads(text) for key, text in db.execute("SELECT * FROM receipts")}
    finally:
        db.close()


def harness(kills: int, seed: int, days: int, home: Path) -> dict[str, object]:
    """Kill until enough, finish the course at hand, and report."""
    begun = time.monotonic()
    chance, count = random.Random(seed), Count()
    feed, mandate = SampleFeed(1), read_mandate().under("replay")
    unkilled = Place(feed, mandate, days, home / "unkilled")
    unkilled.home.mkdir()
    expected, cycles = live(unkilled)
    while count.kills < kills and not count.faults:
        place = Place(feed, mandate, days, home / f"course-{count.courses}")
        place.home.mkdir()
        over = False
        while not over and count.kills < kills:
            over = one_life(place, chance, count)
        if not over:
            live(place)
        check(place, expected, count)
    ready = sorted(count.ready_s)
    return {
        "kills": count.kills,
        "kills_while_starting": count.kills_while_starting,
        "seed": seed,
        "courses": count.courses,
        "days_each": days,
        "cycles_each": cycles,
        "receipts": count.receipts,
        "entries": count.entries,
        "audit_events": count.audit_events,
        "lost": count.lost,
        "doubled": count.doubled,
        "faults": count.faults,
        "recovered_after_ms_median": round(1_000 * ready[len(ready) // 2], 1) if ready else None,
        "seconds": round(time.monotonic() - begun, 1),
        "ok": not count.faults and not count.lost and not count.doubled,
    }


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--days", type=int, default=25)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dynamic-kill9-") as home:
        report = harness(chosen.kills, chosen.seed, chosen.days, Path(home))
    print(json.dumps(report, indent=1))
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
