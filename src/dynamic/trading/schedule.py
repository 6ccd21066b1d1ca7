"""The schedule of a running treasury: what is done how often, and what comes next.

    Loop(clock, jobs)   .run_due(now)  does what is due, once, however much was missed
                        .run()         until .stop()

    cycle    every mandate.schedule.cycle_s; holds the weekly review as one of its triggers
    daily    state file and audit anchor

A job that fails is said to people and tried again after `retry_s`; the others go on. Only a
broken invariant ends the loop, and by then the switch is HALTED.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from dynamic.errors import DynamicError
from dynamic.ports import Clock, Notifier

LOOK_S: Final = 5.0  # a wall clock that jumps is noticed this soon

log = structlog.get_logger("dynamic.schedule")


@dataclass(slots=True)
class Job:
    """Something done every `every_s`. `last_at_s` survives in the store, not here."""

    name: str
    every_s: int
    what: str
    action: Callable[[], object]
    last_at_s: int | None = None
    failed_at_s: int | None = None

    def due_at_s(self, retry_s: int) -> int:
        """Return when it is due; 0 for at once."""
        if self.failed_at_s is not None:
            return self.failed_at_s + retry_s
        return 0 if self.last_at_s is None else self.last_at_s + self.every_s


class Loop:
    """Does each job when it is due; see the module."""

    def __init__(self, clock: Clock, jobs: Sequence[Job], notifier: Notifier, retry_s: int) -> None:
        self.jobs = tuple(jobs)
        self._clock = clock
        self._notifier = notifier
        self._retry_s = retry_s
        self._stop = threading.Event()

    def run(self) -> None:
        """Work until stopped."""
        while not self._stop.is_set():
            now_s = self._clock.now_s()
            self.run_due(now_s)
            next_s = min(job.due_at_s(self._retry_s) for job in self.jobs)
            self._stop.wait(min(max(next_s - self._clock.now_s(), 0.2), LOOK_S))

    def stop(self) -> None:
        """Ask the loop to end between two jobs."""
        self._stop.set()

    def run_due(self, now_s: int) -> list[str]:
        """Do every job that is due, in order; return the names of those that succeeded."""
        done = []
        for job in self.jobs:
            if self._stop.is_set():
                break
            if now_s >= job.due_at_s(self._retry_s) and self._do(job, now_s):
                done.append(job.name)
        return done

    def _do(self, job: Job, now_s: int) -> bool:
        try:
            job.action()
        except DynamicError as problem:
            job.failed_at_s = now_s
            log.warning("a job failed", job=job.name, code=problem.code, reason=problem.message)
            text = f"{job.name} failed and is tried again in {self._retry_s} s: {problem.message}"
            self._notifier.alert("warning", f"job-{job.name}", text, now_s)
            return False
        job.last_at_s, job.failed_at_s = now_s, None
        return True
