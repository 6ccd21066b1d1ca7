"""Two hundred real kill -9: nothing lost, nothing doubled, the same money as without any."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.slow
@pytest.mark.req("OP-13", "RB-10", "RB-18", "PM-08")
def test_op_crash_matrix_of_real_processes() -> None:
    """The harness forks lives, so it runs in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.kill9", "--kills", "200", "--seed", "11"],
        cwd=ROOT, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads(ran.stdout)
    assert report["kills"] == 200
    assert report["kills_while_starting"] > 10
    assert report["lost"] == report["doubled"] == 0
    assert report["faults"] == []
    assert report["receipts"] > 60  # how many courses the kills spread over depends on the machine
