"""A process killed anywhere leaves effects and receipts in step."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.adapters.venues.world import funded
from tests.conftest import ROOT
from tests.planning.treasury import GAS, NOW_S, USD, USDC, WBTC

CHILD = """
import sys
from pathlib import Path
from tests.adapters.venues.world import buy, funded, order
from tests.planning.treasury import NOW_S, USD
venue = funded(Path(sys.argv[1]))
print("ready", flush=True)
n = 0
while True:
    key = f"k{n}"
    if venue.outcome(key) is None:
        venue.send(order(key, buy(USD)), NOW_S)
    n += 1
"""


@pytest.mark.req("RB-10", "RB-18")
def test_rb_retry_idempotent_through_kill_minus_nine(tmp_path: Path) -> None:
    path, dice = tmp_path / "world.sqlite", random.Random(7)
    for _ in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path)], cwd=ROOT, stdout=subprocess.PIPE
        )
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(dice.uniform(0.02, 0.15))
        finally:
            child.kill()
            child.wait()
            if child.stdout is not None:
                child.stdout.close()
    venue = funded(path)
    spent = bought = gas = n = 0
    while (receipt := venue.outcome(f"k{n}")) is not None:
        assert not receipt.reverted
        spent -= receipt.movements[0].base_units
        bought += receipt.movements[1].base_units
        gas += receipt.gas_units * receipt.gas_price_wei
        n += 1
    assert n > 10
    held = venue.balances(NOW_S)
    assert held[USDC] == 200_000 * USD - spent
    assert held[WBTC] == 10**8 + bought
    assert held[GAS] == 10**18 - gas
