"""One-sided entry and exit never create value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dynamic.protocols import curve_ng
from dynamic.units import RAY, WAD, YEAR_S

COINS = st.integers(1, 10**14)
VIRTUAL = st.integers(WAD, 2 * WAD)
LOSS = st.integers(0, WAD // 100)


@given(COINS, VIRTUAL, LOSS, LOSS)
def test_in_and_out_again_never_gains(coins: int, virtual: int, loss: int, fee: int) -> None:
    net = coins - curve_ng.fee_units(coins, fee)
    lp = curve_ng.minted(net, 6, 18, virtual, loss)
    assert curve_ng.withdrawn(lp, 18, 6, virtual, loss) <= net <= coins


@given(COINS, VIRTUAL, LOSS)
def test_more_loss_never_mints_more(coins: int, virtual: int, loss: int) -> None:
    free = curve_ng.minted(coins, 6, 18, virtual, 0)
    assert curve_ng.minted(coins, 6, 18, virtual, loss) <= free


def test_exact_numbers() -> None:
    assert curve_ng.minted(1_020_000, 6, 18, WAD * 102 // 100, 0) == WAD
    assert curve_ng.minted(1_019_999, 6, 18, WAD * 102 // 100, 0) == WAD * 1_019_999 // 1_020_000
    assert curve_ng.withdrawn(WAD, 18, 6, WAD * 102 // 100, 0) == 1_020_000
    assert curve_ng.withdrawn(WAD - 1, 18, 6, WAD * 102 // 100, 0) == 1_019_999
    assert curve_ng.withdrawn(WAD, 18, 6, WAD, WAD // 1_000) == 999_000


def test_fees_round_up() -> None:
    assert curve_ng.fee_units(10_000, WAD // 10_000) == 1
    assert curve_ng.fee_units(10_001, WAD // 10_000) == 2


def test_virtual_price_earns_its_apy() -> None:
    after = curve_ng.virtual_price_after(WAD, RAY * 65 // 1000, YEAR_S)
    assert after in (WAD * 1065 // 1000, WAD * 1065 // 1000 - 1)
