"""Microseconds for one judgement: every guardrail asked, on the cases a replay really meets.

python -m benchmarks.judge
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import replace

from benchmarks.machine import SAMPLE_SEED, machine, median
from dynamic.adapters.mandate_file import read_mandate
from dynamic.decision.advice import Advice
from dynamic.policy.guardrails import Denial, judge
from dynamic.policy.proposal import Proposal
from dynamic.policy.situation import Situation
from dynamic.ports import Advisor
from dynamic.simulation.replay import Span
from dynamic.simulation.sample import SampleFeed
from dynamic.trading.replaying import Course, Journey
from dynamic.units import DAY_S

DAYS = 400
ROUNDS = 7


class Listening:
    """The advisor's chair with a pencil: every case that passes is kept."""

    def __init__(self, advisor: Advisor) -> None:
        self._advisor = advisor
        self.cases: list[tuple[Proposal, Situation]] = []

    def advise(
        self, proposal: Proposal, situation: Situation, dossier: Mapping[str, str]
    ) -> Advice:
        """Keep the case and pass it on."""
        self.cases.append((proposal, situation))
        return self._advisor.advise(proposal, situation, dossier)


def main() -> int:
    """Run from the command line."""
    mandate = read_mandate().under("replay")
    feed = SampleFeed(SAMPLE_SEED)
    first_s, _ = feed.span()
    journey = Journey(Course(feed, Span(first_s, first_s + DAYS * DAY_S), mandate))
    listening = Listening(journey.replay.io.advisor)
    journey.replay.io = replace(journey.replay.io, advisor=listening)
    for _ in journey.cycles():
        pass
    journey.close()
    cases, denied, wall, cpu = listening.cases, 0, [], []
    for _ in range(ROUNDS):
        begun, spent = time.perf_counter(), time.process_time()
        denied = sum(isinstance(judge(p, s, mandate), Denial) for p, s in cases)
        wall.append(1e6 * (time.perf_counter() - begun) / len(cases))
        cpu.append(1e6 * (time.process_time() - spent) / len(cases))
    report = {
        "machine": machine(),
        "cases": len(cases),
        "denied": denied,
        "moves_per_case": round(sum(len(p.moves) for p, _ in cases) / len(cases), 2),
        "judge_us_median": median(wall, 2),
        "judge_cpu_us_median": median(cpu, 2),
    }
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
