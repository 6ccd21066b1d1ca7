"""The switch as a file: readable without the database, replaced atomically, HALTED in doubt.

    <path>        one JSON line: the state, who set it, when, why
    <path>.log    one JSON line per change, appended and synced before the state is replaced

Missing, empty, torn or unknown content reads as HALTED (I-19). A change is written to a
temporary file, synced, renamed over the old one, and the directory is synced, so a crash at
any instant leaves the old state or the new one. A lock file serialises processes.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dynamic.errors import StoreUnavailable
from dynamic.policy import switch
from dynamic.policy.situation import SwitchState
from dynamic.policy.switch import SwitchEntry


class SwitchFile:
    """Implements `ports.Switch` on a local file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(path.name + ".log")

    def state(self) -> SwitchState:
        """Read it now; whatever cannot be read is HALTED."""
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return SwitchState.HALTED
        word = found.get("state") if isinstance(found, dict) else None
        return switch.parse(word) if isinstance(word, str) else SwitchState.HALTED

    def lower(self, to: SwitchState, actor: str, reason: str, now_s: int) -> None:
        """Move towards HALTED; raising is refused. Logged even where nothing changes."""
        entry = switch.lower(self.state(), to, actor, reason, now_s)
        try:
            with self._locked():
                self._write(switch.lower(self.state(), entry.after, actor, reason, now_s))
        except (OSError, StoreUnavailable) as problem:
            raise self._halt_without_writing(problem) from None

    def raise_to(
        self, to: SwitchState, operators: tuple[str, ...], reason: str, now_s: int
    ) -> None:
        """Move away from HALTED, by people only, two of them from HALTED."""
        with self._locked():
            self._write(switch.raise_to(self.state(), to, operators, reason, now_s))

    def log(self) -> tuple[SwitchEntry, ...]:
        """Read every change, oldest first; a torn last line is left out."""
        try:
            lines = self._log.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return ()
        found = []
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            found.append(
                SwitchEntry(
                    row["at_s"],
                    switch.parse(row["before"]),
                    switch.parse(row["state"]),
                    tuple(row["actors"]),
                    row["rationale"],
                )
            )
        return tuple(found)

    def _halt_without_writing(self, problem: BaseException) -> StoreUnavailable:
        """Remove the state, which reads as HALTED: a full disk must not keep us trading."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as stuck:
            return StoreUnavailable(f"switch: still {self.state()}, cannot be lowered: {stuck}")
        return StoreUnavailable(f"switch: now HALTED, its file was removed: {problem}")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = self._path.with_name(self._path.name + ".lock").open("a")
        except OSError as problem:
            raise StoreUnavailable(f"switch: cannot write {self._path}: {problem}") from None
        with handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _write(self, entry: SwitchEntry) -> None:
        """Log, then replace; a state that cannot be written raises, and the old one stands."""
        line = (
            json.dumps(
                {
                    "at_s": entry.at_s,
                    "before": entry.before,
                    "state": entry.after,
                    "actors": entry.actors,
                    "rationale": entry.rationale,
                },
                sort_keys=True,
            )
            + "\n"
        )
        temporary = self._path.with_name(self._path.name + ".new")
        try:
            _append(self._log, line)
            with temporary.open("w", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
            _sync_directory(self._path.parent)
        except OSError as problem:
            raise StoreUnavailable(f"switch: cannot write {self._path}: {problem}") from None


def _append(path: Path, line: str) -> None:
    with path.open("a+", encoding="utf-8") as file:
        if file.tell() and not path.read_text("utf-8").endswith("\n"):
            file.write("\n")  # a torn line stays torn; the next one starts clean
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
