"""Killed at any moment: all of a batch or nothing, and always one whole state file."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dynamic.adapters.storage.state_file import read_state_file, write_state_file
from dynamic.adapters.storage.store import SqlStore
from dynamic.errors import Refused, StoreUnavailable

WRITE_BATCHES = """
import sys
from dynamic.adapters.storage.store import SqlStore
from dynamic.ledger.audit import AuditChain
from dynamic.ledger.posting import capital_entry
from dynamic.records import Batch
store = SqlStore(sys.argv[1])
found = store.recover()
chain = AuditChain(found.audit_seq, found.audit_hash)
n = int(found.states.get("n", "0"))
print("writing", flush=True)
while True:
    n += 1
    store.commit(Batch(
        audit=[chain.append(n, "cycle", "engine", {"n": n, "k": k}) for k in range(3)],
        entries=[capital_entry(n, f"c{n}", "wallet", "USDC", n)],
        states={"n": str(n)},
    ))
"""
WRITE_FILE = """
import sys
from pathlib import Path
from dynamic.adapters.storage.state_file import write_state_file
print("writing", flush=True)
n = 0
while True:
    n += 1
    write_state_file(Path(sys.argv[1]), {"n": n, "padding": [n] * 5000})
"""


def kill_while_running(program: str, argument: str, after_s: float) -> None:
    process = subprocess.Popen([sys.executable, "-c", program, argument], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        time.sleep(after_s)
        assert process.poll() is None
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]


@pytest.mark.req("PM-09", "I-13")
def test_a_killed_writer_leaves_whole_batches(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 't.db'}"
    source, last = random.Random(3), 0
    for _ in range(5):
        kill_while_running(WRITE_BATCHES, url, source.uniform(0.01, 0.25))
        with SqlStore(url) as store:
            found = store.recover()
            n = int(found.states.get("n", "0"))
            assert n > last or last == 0
            last = n
            assert found.audit_seq == 3 * n
            assert found.balances.get(("assets:wallet", "USDC"), 0) == n * (n + 1) // 2
            assert store.reader().counts()["entries"] == n
            assert store.reader().verify_audit()["broken"] is None
    assert last > 3


@pytest.mark.req("PM-09", "C-43")
def test_pm_state_file(tmp_path: Path) -> None:
    """kill -9 during a write leaves the old or the new state, whole."""
    path = tmp_path / "state.json"
    source = random.Random(5)
    for _ in range(4):
        kill_while_running(WRITE_FILE, str(path), source.uniform(0.05, 0.2))
        state = read_state_file(path)
        assert state["padding"] == [state["n"]] * 5_000


def test_a_state_file_that_cannot_be_written_or_read_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        write_state_file(tmp_path / "no" / "state.json", {})
    with pytest.raises(Refused, match="expected a state file"):
        read_state_file(tmp_path / "state.json")
    path = tmp_path / "state.json"
    write_state_file(path, {"b": 1, "a": 2})
    assert path.read_text(encoding="utf-8") == '{"a":2,"b":1}\n'
    assert [p.name for p in tmp_path.iterdir()] == ["state.json"]
    path.write_text("[1]", encoding="utf-8")
    with pytest.raises(Refused, match="found list"):
        read_state_file(path)
    path.write_text('{"a":', encoding="utf-8")
    with pytest.raises(Refused):
        read_state_file(path)
