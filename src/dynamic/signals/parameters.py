"""The numbers the signal room needs, as shapes; the mandate is the one place that holds them.

    Ladder      where the steps stand and what share of the tactical layer each leaves
    Layers      how NAV splits into base, tactical and cash, and tactical into BTC and ETH
    Rebalance   when drift, a week or cheap gas is reason enough to act
    Alarm       which funding is extreme

This room may not import `policy`; the mandate's sections fit these protocols by their
attribute names alone. MVRV levels are thousandths of a Z-score (3 500 = 3.5): integers in
the mandate, and `level / 1000` is the exact float that observations are compared with.
"""

from typing import Protocol


class Ladder(Protocol):
    """S1's ladder with C-05's confirmation and hysteresis and C-07's bear."""

    @property
    def accumulation_below_milli(self) -> int:
        """Below this the whole tactical layer is bought (0)."""
        ...

    @property
    def gap_above_milli(self) -> int:
        """Above this, up to the first sell step, the former target is held (3 000)."""
        ...

    @property
    def sell_above_milli(self) -> tuple[int, ...]:
        """The sell steps, rising (3 500, 5 000, 7 000, 9 000)."""
        ...

    @property
    def sell_share_bps(self) -> tuple[int, ...]:
        """What each sell step leaves of the tactical layer (4 500, 3 000, 1 980, 0)."""
        ...

    @property
    def accumulation_share_bps(self) -> int:
        """The share of the tactical layer held in accumulation (10 000)."""
        ...

    @property
    def euphoria_share_bps(self) -> int:
        """The share of the tactical layer held between 0 and 3 (6 000)."""
        ...

    @property
    def hysteresis_milli(self) -> int:
        """How far below a sell step MVRV must fall before that step can be crossed again (100)."""
        ...

    @property
    def confirmation_milli(self) -> int:
        """How far beyond a level one print alone confirms the crossing (50)."""
        ...

    @property
    def bear_lookback_d(self) -> int:
        """A top this many days old or less can turn into a bear (540)."""
        ...

    @property
    def bear_return_window_d(self) -> int:
        """Over this many days the BTC return must be negative for a bear (90)."""
        ...


class Layers(Protocol):
    """Shares of NAV, summing to 10 000, and the split inside the tactical layer."""

    @property
    def base_yield_bps(self) -> int:
        """Share of NAV in the base yield layer (6 000)."""
        ...

    @property
    def tactical_bps(self) -> int:
        """Share of NAV in the tactical layer (4 000); what is not in BTC or ETH earns yield."""
        ...

    @property
    def cash_bps(self) -> int:
        """Share of NAV kept as cash (0)."""
        ...

    @property
    def btc_share_bps(self) -> int:
        """Share of the tactical spot in BTC, the rest in ETH (5 000)."""
        ...


class Rebalance(Protocol):
    """When acting is worth it."""

    @property
    def drift_bps(self) -> int:
        """A bucket strictly further than this from its target, in bps of NAV, is drift (500)."""
        ...

    @property
    def review_interval_s(self) -> int:
        """A review is due after this span (7 days)."""
        ...

    @property
    def cooldown_s(self) -> int:
        """The least span between drift or low-gas rebalances; nothing else waits (C-57)."""
        ...

    @property
    def low_gas_wei(self) -> int:
        """Gas strictly below this is cheap (15 gwei)."""
        ...


class Alarm(Protocol):
    """What raises the risk level by one."""

    @property
    def funding_extreme_ppm(self) -> int:
        """Funding per 8 h, in millionths, from which it is extreme (2 000 = 0.2 %, C-52)."""
        ...
