"""The sample market: labelled, the same everywhere, and a whole ladder to walk."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dynamic.errors import Refused
from dynamic.market.observation import Provenance
from dynamic.simulation.sample import DAYS_MIN, SampleFeed
from dynamic.units import DAY_S

KEYS = {
    "price:BTC", "price:ETH", "price:USDC", "market_cap:BTC", "realized_cap:BTC", "mvrv_z:BTC",
    "fear_greed", "funding:BTC", "funding:ETH", "gas:ethereum", "apy:aave_v3:USDC",
    "apy:pendle_v2:PT-USDC", "apy:curve:LP-USDC-USDT",
}  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_a_sample_walks_the_whole_ladder(seed: int) -> None:
    feed = SampleFeed(seed)
    first_s, last_s = feed.span()
    scores = [o.value for o in feed.history("mvrv_z:BTC", last_s) if o.as_of_s > first_s]
    assert min(scores) < 0
    assert max(scores) > 7
    for now_s in range(first_s, last_s + 1, 97 * DAY_S):
        found = {o.key: o for o in feed.observe(now_s)}
        assert set(found) == KEYS
        for one in found.values():
            assert one.provenance is Provenance.SYNTHETIC
            assert one.source == f"synthetic seed {seed}" or one.key == "mvrv_z:BTC"
            assert f"synthetic seed {seed}" in one.source
            assert one.fetched_at_s <= now_s
        assert 0 <= found["fear_greed"].value <= 100
        assert 980_000 < found["price:USDC"].value < 1_020_000
        assert isinstance(found["price:BTC"].value, int)
        assert abs(found["funding:BTC"].value) < 0.01


def test_a_sample_is_the_same_in_every_process() -> None:
    program = (
        "from dynamic.simulation.sample import SampleFeed; f = SampleFeed(7);"
        "print([o for t in range(*f.span(), 86400 * 50) for o in f.observe(t)])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, check=True,
        ).stdout
        for seed in ("0", "4711")
    }  # fmt: skip
    assert len(outputs) == 1
    assert SampleFeed(7).observe(10**10) != SampleFeed(8).observe(10**10)


def test_a_sample_has_no_future() -> None:
    feed = SampleFeed(1)
    first_s, last_s = feed.span()
    middle_s = (first_s + last_s) // 2 // DAY_S * DAY_S
    cut, mixed = feed.with_future(middle_s, "truncate", 0), feed.with_future(middle_s, "shuffle", 3)
    for now_s in range(first_s, middle_s + 1, 30 * DAY_S):
        assert feed.observe(now_s) == cut.observe(now_s) == mixed.observe(now_s)
    assert mixed.observe(last_s) != feed.observe(last_s)
    assert cut.span()[1] == middle_s


def test_a_sample_too_short_for_a_cycle_is_refused() -> None:
    with pytest.raises(Refused, match="at least"):
        SampleFeed(1, days=DAYS_MIN - 1)
